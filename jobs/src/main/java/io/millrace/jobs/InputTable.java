package io.millrace.jobs;

import io.millrace.udf.shard.InputFile;
import io.millrace.udf.shard.ReadShard;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/// The rows of an input as a table of the shape of {@link io.millrace.udf.InputColumns}, in the order of
/// the input: every record a row, one that cannot be read a row that says so.
///
/// @param rows rows as planned
public record InputTable(Dataset<Row> table, long rows) {

    /// @param template names further columns to read, see {@link io.millrace.udf.PromptTemplate}
    /// @throws JobException if there are no such files or columns
    public static InputTable read(SparkSession session, JobConfig.Input input, String template) {
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        InputPlanner planner = new InputPlanner(spark, input, template, 0);
        InputPlan plan = planner.plan(null);
        List<String> shards = new ArrayList<>();
        plan.forEachShard(shard -> shards.add(shard.toJson()));
        ReadShard read = new ReadShard(
                planner.recipe(plan), spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration())));
        // a task for each shard keeps the order
        Dataset<Row> table = session.createDataFrame(
                spark.parallelize(shards, Math.max(1, shards.size())).flatMap(read), read.schema());
        return new InputTable(table, plan.rows());
    }

    /// What files these are: name, length and time of modification of each, a line for each.
    ///
    /// @throws JobException if a path has no file
    public static String version(SparkSession session, List<String> paths) {
        StringBuilder version = new StringBuilder();
        for (InputFile file : InputFiles.find(paths, session.sparkContext().hadoopConfiguration())
                .files()) {
            version.append(file.name()).append(' ').append(file.version()).append('\n');
        }
        return version.toString();
    }
}
