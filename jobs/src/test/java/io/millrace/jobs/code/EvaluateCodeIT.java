package io.millrace.jobs.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Millrace;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The whole way from a suite's file to pass@k, on `local[2]`, with tasks of our own.
class EvaluateCodeIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// The fake engine answers with the first twelve bytes of the prompt: a line that is right at its
    /// end, too.
    private static final String LINE = "z = [1, 2];\n";

    @TempDir
    private Path dir = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path tasks = dir;
    private Path output = dir;

    @BeforeEach
    void writeTasks() throws IOException {
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            assumeTrue(false, e.getMessage());
        }
        assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "no /usr/bin/python3");
        output = dir.resolve("out");
        List<String> lines = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            lines.add(task(number, LINE + "def f" + number + "():\n    return " + number + "\n", number));
        }
        lines.add(task(20, LINE + "def f20():\n    return 0\n", 20));
        lines.add(task(21, LINE + "def f21():\n    '''REFUSE-ME'''\n    return 21\n", 21));
        tasks = Files.write(dir.resolve("tasks.jsonl"), lines);
    }

    private static String task(int number, String prompt, int expected) throws IOException {
        return JSON.writeValueAsString(Map.of(
                "task_id", "Own/" + number,
                "prompt", prompt,
                "entry_point", "f" + number,
                "canonical_solution", "\ndef f" + number + "():\n    return " + number + "\n",
                "test", "def check(candidate):\n    assert candidate() == " + expected + "\n"));
    }

    private int run(String... more) {
        List<String> args = new ArrayList<>(List.of("evaluate-code", "--suite", "humaneval", "--input"));
        args.addAll(List.of(tasks.toString(), "--output", output.toString(), "--master", "local[2,2]"));
        args.addAll(List.of(
                "--max-tokens",
                "200",
                "--wall-seconds",
                "600",
                "-c",
                "engine.kind=fake",
                "-c",
                "engine.model-dir=fake-model"));
        args.addAll(List.of(more));
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args.toArray(String[]::new));
    }

    private void assertDone(int exitCode) {
        assertThat(exitCode).as(err.toString()).isEqualTo(ExitCode.OK);
    }

    private JsonNode json(String name) throws IOException {
        return JSON.readTree(output.resolve(name).toFile());
    }

    private List<JsonNode> lines(String name) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(output.resolve(name))) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    /// Name of each committed file of results to when it was written.
    private Map<String, FileTime> results() throws IOException {
        Map<String, FileTime> files = new TreeMap<>();
        try (Stream<Path> list = Files.list(output.resolve("results"))) {
            for (Path file :
                    list.filter(path -> path.toString().endsWith(".parquet")).toList()) {
                files.put(file.getFileName().toString(), Files.getLastModifiedTime(file));
            }
        }
        return files;
    }

    @Test
    void withoutConsent_nothingIsStarted() {
        assertThat(run("--canonical")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--allow-code-execution: expected");
        assertThat(output).doesNotExist();
    }

    @Test
    void model_twoSamplesOfEachTask_areGradedAndCounted() throws IOException {
        assertDone(run("--allow-code-execution", "--samples", "2"));

        JsonNode summary = json("summary.json");
        assertThat(summary.at("/tasks").asInt()).isEqualTo(22);
        assertThat(summary.at("/samples").asInt()).isEqualTo(44);
        assertThat(summary.at("/pass_at_k/pass@1").asDouble())
                .as(summary.toString())
                .isEqualTo(20 / 22.0);
        assertThat(summary.at("/pass_at_k").size()).isEqualTo(1);
        assertThat(summary.at("/results").toString())
                .isEqualTo("{\"failed: AssertionError\":2,\"failed: no completion\":2,\"passed\":40}");
        assertThat(out.toString()).contains("pass@1                       0.9091");

        List<JsonNode> samples = lines("samples.jsonl_results.jsonl");
        assertThat(samples)
                .hasSize(44)
                .allSatisfy(sample -> assertThat(sample.fieldNames())
                        .toIterable()
                        .containsExactly("task_id", "completion", "solution", "result", "passed"));
        assertThat(samples.getFirst().at("/completion").asText()).isEqualTo(LINE);
        assertThat(samples.stream()
                        .filter(sample -> sample.at("/task_id").asText().equals("Own/21"))
                        .map(sample -> sample.at("/result").asText()))
                .hasSize(2)
                .containsOnly("failed: no completion: INVALID_REQUEST");
        assertThat(json("eval_results.json")
                        .at("/eval")
                        .path("Own/20")
                        .path(0)
                        .path("base_status")
                        .asText())
                .isEqualTo("fail");
    }

    @Test
    void sameCommand_resultsLost_onlyThoseAreRunAgain() throws IOException {
        assertDone(run("--allow-code-execution"));
        Map<String, FileTime> before = results();
        assertThat(before).hasSize(3);
        byte[] summary = Files.readAllBytes(output.resolve("summary.json"));
        String lost = before.keySet().iterator().next();
        Files.delete(output.resolve("results").resolve(lost));
        Files.delete(output.resolve("summary.json"));

        assertDone(run("--allow-code-execution"));

        Map<String, FileTime> after = results();
        assertThat(after.keySet()).isEqualTo(before.keySet());
        assertThat(after.remove(lost)).isNotEqualTo(before.remove(lost));
        assertThat(after).isEqualTo(before);
        assertThat(Files.readAllBytes(output.resolve("summary.json"))).isEqualTo(summary);
    }

    @Test
    void ownSamplesFile_gradedAgainAsSolutions_isTheSame() throws IOException {
        assertDone(run("--allow-code-execution", "--limit", "10"));
        Path samples = Files.copy(output.resolve("samples.jsonl"), dir.resolve("samples.jsonl"));
        List<JsonNode> before = lines("samples.jsonl_results.jsonl");
        output = dir.resolve("again");

        assertDone(run("--allow-code-execution", "--limit", "10", "--solutions", samples.toString()));

        assertThat(lines("samples.jsonl_results.jsonl")).isEqualTo(before).hasSize(10);
        assertThat(output.resolve("completions")).doesNotExist();
    }

    @Test
    void canonical_allPass() throws IOException {
        assertDone(run("--allow-code-execution", "--canonical"));

        assertThat(json("summary.json").at("/pass_at_k/pass@1").asDouble()).isEqualTo(1);
    }
}
