package io.millrace.udf.shard;

import io.millrace.udf.InputColumns;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;

/// Reads the rows of shards as they are, without an engine. A record that cannot be read is a row that
/// says so.
public final class ReadShard implements FlatMapFunction<String, Row> {
    private static final long serialVersionUID = 1L;

    private final InputRecipe recipe;
    private final Broadcast<SerializableConfiguration> hadoop;

    public ReadShard(InputRecipe recipe, Broadcast<SerializableConfiguration> hadoop) {
        this.recipe = recipe;
        this.hadoop = hadoop;
    }

    /// The shape of the rows: that of {@link InputColumns} with the recipe's columns at the end.
    public StructType schema() {
        return InputColumns.schema(recipe.templateColumns());
    }

    /// @param shard as JSON
    @Override
    public Iterator<Row> call(String shard) {
        ShardQueue rows = new ShardQueue(
                List.of(Shard.ofJson(shard)).iterator(), _ -> false, recipe, hadoop.value().value());
        TaskContext context = TaskContext.get();
        if (context != null) {
            TaskCompletionListener close = _ -> rows.close();
            context.addTaskCompletionListener(close);
        }
        return rows;
    }
}
