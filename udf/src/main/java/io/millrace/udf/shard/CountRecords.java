package io.millrace.udf.shard;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/// Counts the records of blocks whose format does not tell how many they are.
public final class CountRecords implements Function<String, Long> {
    private static final long serialVersionUID = 1L;

    private final RecordFormat format;
    private final Broadcast<SerializableConfiguration> hadoop;

    public CountRecords(RecordFormat format, Broadcast<SerializableConfiguration> hadoop) {
        this.format = format;
        this.hadoop = hadoop;
    }

    /// @param block a shard as JSON, whose rows are the most to count
    @Override
    public Long call(String block) {
        return count(format, Shard.ofJson(block), hadoop.value().value());
    }

    static long count(RecordFormat format, Shard block, Configuration conf) {
        try (Records records = Records.open(format, block, List.of(), conf)) {
            long rows = 0;
            while (rows < block.rows() && records.next()) {
                rows++;
            }
            return rows;
        } catch (IOException | RuntimeException e) {
            throw new ShardException("input " + block.file().name() + ": expected to be readable, got " + e, e);
        }
    }
}
