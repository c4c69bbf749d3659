package io.millrace.udf.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.CacheRounding;
import io.millrace.udf.AgentEngineProvider;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.InputColumns;
import io.millrace.udf.OverlongPolicy;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.SamplingRecipe;
import io.millrace.udf.Thinking;
import io.millrace.udf.agent.RolloutRecipe.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;

/// Rollouts of the engine of the tests, one for each task, in this process.
///
/// @param work folder of directories and logs
record Rollouts(Path work, String repository, String commit, Limits limits, int window, int commands, Shell shell) {
    static final Limits LIMITS = new Limits(20, 0, 0, 60, 3);
    static final String SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT";

    /// From an empty directory, without a sandbox.
    static Rollouts in(Path work) {
        return new Rollouts(work, "", "", LIMITS, 4, 4, new PlainShell());
    }

    Rollouts from(SmallRepository other, String base) {
        return new Rollouts(work, other.toString(), base, limits, window, commands, shell);
    }

    /// From a clone's HEAD.
    Rollouts from(Path clone) {
        return new Rollouts(work, clone.toString(), "", limits, window, commands, shell);
    }

    Rollouts with(Limits other) {
        return new Rollouts(work, repository, commit, other, window, commands, shell);
    }

    Rollouts with(Shell other) {
        return new Rollouts(work, repository, commit, limits, window, commands, other);
    }

    Rollouts atOnce(int rollouts, int slots) {
        return new Rollouts(work, repository, commit, limits, rollouts, slots, shell);
    }

    private static GenerateRecipe generate() {
        EngineRecipe engine = new EngineRecipe(
                AgentEngineProvider.KIND, "agent", "cache", "reference", 1, 0, 16, 2, CacheRounding.AUTO, true, true);
        PromptRecipe prompt =
                new PromptRecipe("{text}", PromptFormat.CHAT, null, Thinking.CHAT, 100_000, OverlongPolicy.ERROR);
        return new GenerateRecipe(engine, prompt, SamplingRecipe.greedy(8), "run", "f".repeat(64), "test");
    }

    /// The output rows of tasks, each a text of lines.
    List<Row> run(String... tasks) {
        RolloutRecipe recipe = new RolloutRecipe(
                repository,
                commit,
                ActionForm.FENCED,
                limits,
                window,
                commands,
                work.resolve("directories").toString(),
                work.resolve("logs").toUri().toString(),
                shell);
        List<Row> input = new ArrayList<>();
        for (int row = 0; row < tasks.length; row++) {
            input.add(input(row, tasks[row]));
        }
        GenerateRecipe generate = generate();
        Iterator<Row> rows = new RolloutFunction(generate, recipe, Duration.ofMinutes(2), new Configuration())
                .call(input.iterator(), _ -> generate);
        List<Row> all = new ArrayList<>();
        rows.forEachRemaining(all::add);
        return all;
    }

    private static Row input(long row, String text) {
        StructType schema = InputColumns.schema(List.of());
        Object[] values = new Object[schema.length()];
        values[schema.fieldIndex(InputColumns.FILE)] = "file:/in";
        values[schema.fieldIndex(InputColumns.FILE_VERSION)] = "1@2";
        values[schema.fieldIndex(InputColumns.ROW_GROUP)] = 0;
        values[schema.fieldIndex(InputColumns.ROW)] = row;
        values[schema.fieldIndex(InputColumns.CUSTOM_ID)] = "task-" + row;
        values[schema.fieldIndex(InputColumns.TEXT)] = text;
        return new GenericRowWithSchema(values, schema);
    }

    /// What a row's log says.
    List<LogRecord> log(Row row) throws IOException {
        try (RolloutLog log = RolloutLog.open(
                new org.apache.hadoop.fs.Path(
                        work.resolve("logs").resolve(row.getString(0)).toUri()),
                new Configuration())) {
            return List.copyOf(log.records());
        }
    }

    /// A row's trajectory, but for the times of day.
    ObjectNode trajectory(Row row) throws IOException {
        return trajectory(row.getString(0));
    }

    /// The same by the row's request id.
    ObjectNode trajectory(String requestId) throws IOException {
        ObjectNode trajectory = Objects.requireNonNull(
                RolloutLogs.trajectory(work.resolve("logs").toUri().toString(), requestId, 0, new Configuration()));
        for (JsonNode message : trajectory.path("messages")) {
            if (message.path("extra") instanceof ObjectNode extra) {
                extra.remove("timestamp");
            }
        }
        return trajectory;
    }

    String exitStatus(Row row) throws IOException {
        return trajectory(row).at("/info/exit_status").asText();
    }
}
