package io.millrace.udf.shard;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;

/// Reads shards of an input: every row in the shape of {@link io.millrace.udf.InputColumns}, whatever is
/// wrong with it.
public final class ReadShards implements FlatMapFunction<String, Row> {
    private static final long serialVersionUID = 1L;

    private final InputRecipe recipe;
    private final Broadcast<SerializableConfiguration> hadoop;

    /// @param hadoop configuration of the file systems
    public ReadShards(InputRecipe recipe, Broadcast<SerializableConfiguration> hadoop) {
        this.recipe = recipe;
        this.hadoop = hadoop;
    }

    /// @param shard as {@link Shard#toJson}
    @Override
    public Iterator<Row> call(String shard) {
        ShardRows rows =
                ShardRows.open(Shard.ofJson(shard), recipe, hadoop.value().value());
        TaskCompletionListener close = _ -> rows.close();
        TaskContext.get().addTaskCompletionListener(close);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Row next() {
                if (!hasNext()) {
                    throw new NoSuchElementException("no more rows in this shard");
                }
                return rows.next();
            }
        };
    }
}
