package io.millrace.jobs.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Millrace;
import io.millrace.udf.agent.SmallRepository;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// `millrace rollout` on local Spark, in the real sandbox.
class RolloutIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat /tmp/patch.txt";

    @TempDir
    private Path dir = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path output = dir;
    private String base = "";

    @BeforeEach
    void setUp() throws IOException, InterruptedException {
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            assumeTrue(false, e.getMessage());
        }
        output = dir.resolve("out");
        base = SmallRepository.in(dir.resolve("clones/small__adder")).base();
    }

    private static String instance(String id, String commit) {
        return JSON.createObjectNode()
                .put("instance_id", id)
                .put("repo", "small/adder")
                .put("base_commit", commit)
                .put("problem_statement", "add.sh subtracts: bash add.sh 2 3 should say 5")
                .toString();
    }

    private static String script(String id, String... commands) {
        ObjectNode trajectory = JSON.createObjectNode().put("instance_id", id);
        ArrayNode messages = trajectory.putArray("messages");
        for (String command : commands) {
            messages.addObject()
                    .put("role", "assistant")
                    .put("content", "THOUGHT: so be it.\n\n```mswea_bash_command\n" + command + "\n```");
        }
        return trajectory.toString();
    }

    private Path file(String name, String... lines) throws IOException {
        return Files.write(dir.resolve(name), List.of(lines));
    }

    private int run(Path input, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "rollout",
                "--input",
                input.toString(),
                "--output",
                output.toString(),
                "--repository",
                dir.resolve("clones") + "/{repo}",
                "--commit",
                "{base_commit}",
                "--master",
                "local[2]",
                "--no-gate",
                "--no-report",
                "-c",
                "rollout.work-dir=" + dir.resolve("work")));
        arguments.addAll(List.of(more));
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(arguments.toArray(String[]::new));
    }

    private JsonNode json(String name) throws IOException {
        return JSON.readTree(output.resolve(name).toFile());
    }

    @Test
    void scripted_rowsTrajectoriesPredictionsTurns() throws IOException {
        Path input = file(
                "tasks.jsonl",
                instance("small-1", base),
                instance("small-2", base),
                instance("small-3", "0".repeat(40)));
        Path script = file(
                "script.jsonl",
                script(
                        "small-1",
                        "pwd; id -u; cat add.sh",
                        "sed -i 's/ - / + /' add.sh && bash add.sh 2 3",
                        "git diff -- add.sh > /tmp/patch.txt",
                        SUBMIT),
                script("small-2", "sleep 1000", "touch /usr/x", "head -c 3000000 /dev/zero | tr '\\0' x"),
                script("small-3", "true"));
        String[] options = {"--script", script.toString(), "--allow-code-execution", "-c", "rollout.command-seconds=15"
        };

        assertThat(run(input, options)).as(err.toString()).isEqualTo(ExitCode.OK);

        JsonNode predictions = json("trajectories/preds.json");
        assertThat(predictions).hasSize(3);
        assertThat(predictions.at("/small-1/model_patch").asText())
                .startsWith("diff --git a/add.sh b/add.sh\n")
                .endsWith("@@ -1 +1 @@\n-echo $(($1 - $2))\n+echo $(($1 + $2))\n");
        assertThat(predictions.at("/small-1/model_name_or_path").asText()).isEqualTo("scripted");
        assertThat(predictions.at("/small-2/model_patch").asText("absent")).isEmpty();
        assertThat(predictions.at("/small-3/model_patch").asText("absent")).isEmpty();
        assertThat(out.toString())
                .contains("exit Submitted ", "exit ScriptEnded ", "exit CHECKOUT_FAILED ")
                .containsPattern("rows ok +2\n")
                .containsPattern("rows error +1 ");
        assertThat(Files.readString(output.resolve("trajectories/exit_statuses.yaml")))
                .contains("instances_by_exit_status:", "Submitted:\n  - \"small-1\"");

        JsonNode solved = json("trajectories/small-1/small-1.traj.json").path("messages");
        assertThat(solved.get(3).at("/extra/raw_output").asText()).startsWith("/testbed\n");
        assertThat(solved.get(5).at("/extra/raw_output").asText()).isEqualTo("5\n");
        assertThat(solved.get(solved.size() - 1).at("/extra/exit_status").asText())
                .isEqualTo("Submitted");
        JsonNode other = json("trajectories/small-2/small-2.traj.json").path("messages");
        assertThat(other.get(3).at("/extra/exception_info").asText()).contains("more than 15 seconds");
        assertThat(other.get(3).at("/extra/returncode").asInt()).isEqualTo(-1);
        assertThat(other.get(5).at("/extra/returncode").asInt()).isPositive();
        assertThat(other.get(7).path("content").asText())
                .contains("more that were not kept")
                .hasSizeLessThan(11_000);

        List<Row> turns = turns();
        assertThat(turns)
                .extracting(row -> row.getAs("instance_id") + "/" + row.getAs("step"))
                .containsExactlyInAnyOrder(
                        "small-1/0",
                        "small-1/1",
                        "small-1/2",
                        "small-1/3",
                        "small-2/0",
                        "small-2/1",
                        "small-2/2",
                        "small-3/0");

        Path log = logs().getFirst();
        Object written = Files.getLastModifiedTime(log);
        assertThat(run(input, options)).as(err.toString()).isEqualTo(ExitCode.OK);
        assertThat(json("trajectories/preds.json")).isEqualTo(predictions);
        assertThat(Files.getLastModifiedTime(log)).isEqualTo(written);

        // another script is another run
        file("script.jsonl", script("small-1", "true"));
        assertThat(run(input, options)).isEqualTo(ExitCode.ERROR);
        assertThat(err.toString()).contains("model.weights-sha256");
    }

    private List<Row> turns() {
        SparkSession spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .getOrCreate();
        try {
            return spark.read().parquet(output.resolve("turns").toString()).collectAsList();
        } finally {
            spark.stop();
        }
    }

    private List<Path> logs() throws IOException {
        try (Stream<Path> files = Files.walk(output.resolve("logs"))) {
            return files.filter(file -> file.toString().endsWith(".jsonl"))
                    .sorted()
                    .toList();
        }
    }

    /// A model that cannot do it, and says so in its rows: none is lost, none is resolved.
    @Test
    void bundledModel_failsHonestly() throws IOException {
        Path input = file("tasks.jsonl", instance("small-1", base), instance("small-2", base));

        int exitCode = run(
                input,
                "--allow-code-execution",
                "--max-steps",
                "4",
                "-c",
                "sampling.max-tokens=16",
                "-c",
                "sampling.temperature=1",
                "-c",
                "sampling.samples=2",
                "-c",
                "prompt.system=",
                "-c",
                "prompt.template={text}");

        assertThat(exitCode).as(err.toString()).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).containsPattern("rows ok +4\n").doesNotContain("Submitted");
        List<JsonNode> said = new ArrayList<>();
        for (String sample : List.of("sample-0", "sample-1")) {
            assertThat(json("trajectories/" + sample + "/preds.json"))
                    .hasSize(2)
                    .allMatch(prediction ->
                            prediction.path("model_patch").asText("absent").isEmpty());
            JsonNode trajectory = json("trajectories/" + sample + "/small-1/small-1.traj.json");
            // it knows no form, and 256 positions
            assertThat(trajectory.at("/info/exit_status").asText())
                    .isIn("RepeatedFormatError", "ContextWindowExceededError");
            assertThat(trajectory.at("/info/model_stats/api_calls").asInt()).isBetween(1, 3);
            said.add(trajectory.at("/messages/2/extra/model_response"));
            assertThat(trajectory
                            .at("/messages/2/extra/response/usage/completion_tokens")
                            .asInt())
                    .isPositive();
        }
        assertThat(said.getFirst()).isNotEqualTo(said.getLast());
    }

    @Test
    void withoutConsent_nothingRuns() throws IOException {
        Path input = file("tasks.jsonl", instance("small-1", base));

        assertThat(run(input)).isEqualTo(ExitCode.USAGE);

        assertThat(err.toString()).contains("--allow-code-execution");
        assertThat(output).doesNotExist();
    }
}
