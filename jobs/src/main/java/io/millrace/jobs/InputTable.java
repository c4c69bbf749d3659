package io.millrace.jobs;

import io.millrace.udf.InputColumns;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.shard.InputFile;
import io.millrace.udf.shard.InputRecipe;
import io.millrace.udf.shard.ReadShards;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/// A job's input as a table: what a stage reads that makes requests of it, or that looks at it again beside
/// the answers. A row that cannot be read is there with what is wrong with it.
public final class InputTable {
    private static final int TASKS_PER_SLOT = 4;

    private final JavaSparkContext spark;
    private final InputPlan plan;
    private final InputRecipe recipe;
    private final CardStage stage;

    private InputTable(JavaSparkContext spark, InputPlan plan, InputRecipe recipe, CardStage stage) {
        this.spark = spark;
        this.plan = plan;
        this.recipe = recipe;
        this.stage = stage;
    }

    /// Plans the input as it is now.
    ///
    /// @param columns what is read beside text, key and reference
    /// @throws JobException if there are no such files, no such column, or no file system for a path
    public static InputTable of(JavaSparkContext spark, JobConfig config, List<String> columns) {
        InputPlanner planner = new InputPlanner(
                spark, config.input(), config.prompt().withTemplate(template(columns)), config.shardRows());
        InputPlan plan = planner.plan(null);
        return new InputTable(spark, plan, planner.recipe(plan), CardStage.of(config));
    }

    /// Plans files that no engine reads.
    ///
    /// @param columns what is read beside text, key and reference
    /// @throws JobException if there are no such files, no such column, or no file system for a path
    public static InputTable of(JavaSparkContext spark, JobConfig.Input input, Collection<String> columns) {
        InputPlanner planner =
                new InputPlanner(spark, input, PromptRecipe.ofText().withTemplate(template(columns)), 0);
        InputPlan plan = planner.plan(null);
        return new InputTable(spark, plan, planner.recipe(plan), CardStage.NONE);
    }

    /// A template that names the columns, which is how the planner is told of them.
    private static String template(Collection<String> columns) {
        return columns.stream().map(column -> "{" + column + "}").collect(Collectors.joining());
    }

    /// What files these are: name, length and time of modification of each, a line for each.
    ///
    /// @throws JobException if a path has no file
    public static String version(JavaSparkContext spark, List<String> paths) {
        StringBuilder version = new StringBuilder();
        for (InputFile file :
                InputFiles.find(paths, spark.hadoopConfiguration()).files()) {
            version.append(file.name()).append(' ').append(file.version()).append('\n');
        }
        return version.toString();
    }

    /// The shape of the rows.
    public StructType schema() {
        return InputColumns.schema(recipe.templateColumns());
    }

    public long rows() {
        return plan.rows();
    }

    /// What the rows are of: each file with its length and time of modification, and the rows taken.
    public SortedMap<String, String> versions() {
        SortedMap<String, String> versions = new TreeMap<>();
        plan.files()
                .forEach(file -> versions.put(file.file().name(), file.file().version()));
        versions.put("limit", Long.toString(plan.limit()));
        return versions;
    }

    /// The rows of {@link #schema}, in order, read where the engines are.
    public JavaRDD<Row> read() {
        List<String> shards = new ArrayList<>();
        plan.forEachShard(shard -> shards.add(shard.toJson()));
        if (shards.isEmpty()) {
            return spark.emptyRDD();
        }
        int tasks = Math.min(shards.size(), TASKS_PER_SLOT * spark.defaultParallelism());
        return stage.onCards(spark.parallelize(shards, tasks))
                .flatMap(new ReadShards(
                        recipe, spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()))));
    }

    /// Has the work done by executors that hold cards, if the run has such.
    public <T> JavaRDD<T> whereTheEnginesAre(JavaRDD<T> work) {
        return stage.onCards(work);
    }
}
