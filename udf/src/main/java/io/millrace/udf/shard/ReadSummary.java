package io.millrace.udf.shard;

import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/// Reads what a committed shard's footer says of its rows, where the executors are.
public final class ReadSummary implements Function<String, String> {
    private static final long serialVersionUID = 1L;

    private final OutputDir output;
    private final Broadcast<SerializableConfiguration> hadoop;

    public ReadSummary(OutputDir output, Broadcast<SerializableConfiguration> hadoop) {
        this.output = output;
        this.hadoop = hadoop;
    }

    /// @param name of the shard's file
    /// @return {@link RowSummary#toJson}
    @Override
    public String call(String name) {
        return CommittedShard.read(output.file(name), hadoop.value().value())
                .summary()
                .toJson();
    }
}
