package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.served.FaultServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Jobs whose rows a server answers: rows, ledger and manifest are those of an engine in the executor.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class ServedIT {
    private static final String MODEL =
            Path.of("../engine/models/synopsis-v4").toAbsolutePath().normalize().toString();
    private static final String CORPUS = "corpus/debian-synopsis-test.parquet";
    /// The third has a picture, which only a server may understand; this one does not.
    private static final String TALKS = """
            {"messages": "[{\\"role\\": \\"user\\", \\"content\\": \\"A library of functions.\\"}]"}
            {"messages": "[{\\"role\\": \\"system\\", \\"content\\": \\"Short.\\"}, {\\"role\\": \\"user\\", \\"content\\": \\"A game.\\"}]"}
            {"messages": "[{\\"role\\": \\"user\\", \\"content\\": [{\\"type\\": \\"image_url\\", \\"image_url\\": {\\"url\\": \\"x:y\\"}}]}]"}
            {"messages": "no messages"}
            """;
    private static final String KEY = "sk-4f1c2a9e";

    @TempDir
    private Path dir = Path.of("");

    private static List<String> settings(String... settings) {
        List<String> arguments = new ArrayList<>();
        for (String setting : settings) {
            arguments.addAll(List.of("-c", setting));
        }
        return arguments;
    }

    /// `millrace serve` in a process of its own writes what the engine in the executor writes: with the same seeds, cut
    /// prompts and hashes where the tokenizer is at hand, from messages where it is not.
    @Test
    void rowsOfAServedModel_areThoseOfTheModelInTheExecutor() throws IOException, InterruptedException {
        List<String> both = settings(
                "engine.model-dir=" + MODEL,
                "sampling.temperature=0.7",
                "sampling.samples=2",
                "sampling.max-tokens=12",
                "engine.max-running=8");
        both.addAll(List.of("--text-column", "description", "--reference-column", "synopsis", "--limit", "20"));
        List<String> talk = settings(
                "engine.model-dir=" + MODEL, "prompt.format=messages", "sampling.beams=1", "sampling.max-tokens=12");
        talk.addAll(List.of("--text-column", "messages"));
        Path talks = Files.writeString(dir.resolve("talks.jsonl"), TALKS);
        List<Row> local = run("local", CORPUS, both, "engine.kind=local");
        List<Row> localTalk = run("local-talk", talks.toString(), talk, "engine.kind=local");

        try (JavaProcesses processes = new JavaProcesses(dir)) {
            processes.startMillrace("serve", List.of(), List.of(), List.of("serve", "--model", MODEL, "--port", "0"));
            JavaProcesses.await(() -> processes.said("serve").contains("/v1\n"), () -> processes.said("serve"));
            String endpoint = processes.said("serve").replaceFirst("(?s).* at (http\\S+).*", "$1");

            List<Row> served = run(
                    "served",
                    CORPUS,
                    both,
                    "engine.kind=served",
                    "served.endpoint=" + endpoint,
                    "served.tokenizer=" + MODEL);
            List<Row> servedTalk =
                    run("served-talk", talks.toString(), talk, "engine.kind=served", "served.endpoint=" + endpoint);

            assertThat(local).hasSize(40);
            assertThat(served).isEqualTo(local);
            assertThat(localTalk)
                    .extracting(FakeJob::outcome)
                    .containsExactly("ok", "ok", "INVALID_REQUEST", "INVALID_REQUEST");
            assertThat(localTalk.get(2).<Row>getAs("error").<String>getAs("message"))
                    .contains("expected a part of type text, got \"image_url\"");
            assertThat(servedTalk)
                    .extracting(FakeJob::outcome)
                    .containsExactly("ok", "ok", "SERVER_REFUSED", "INVALID_REQUEST");
            for (int row = 0; row < 2; row++) {
                for (String column : List.of("output_text", "prompt_tokens", "completion_tokens", "finish_reason")) {
                    assertThat(servedTalk.get(row).<Object>getAs(column))
                            .isEqualTo(localTalk.get(row).<Object>getAs(column));
                }
            }
        }
        JsonNode manifest = manifest("served");
        assertThat(manifest.path("engine").path("device").asText()).isEqualTo("served");
        assertThat(manifest.path("engine").path("weights_sha"))
                .isEqualTo(manifest("local").path("engine").path("weights_sha"));
        assertThat(manifest.path("fingerprint").path("engine.logits-sha256").asText())
                .startsWith("not promised");
    }

    private List<Row> run(String name, String input, List<String> both, String... settings) {
        List<String> arguments = new ArrayList<>(both);
        arguments.addAll(settings(settings));
        FakeJob job = new FakeJob(dir.resolve(name));
        int exit = job.run("local[2]", input, arguments.toArray(String[]::new));
        assertThat(exit).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(verify(name)).isEqualTo(ExitCode.OK);
        return rows(name);
    }

    /// Less what says how a row came about and on what.
    private List<Row> rows(String name) {
        List<String> dropped = new ArrayList<>(Completion.INCIDENTAL);
        dropped.addAll(List.of(
                Completion.REQUEST_ID,
                Completion.CONFIG_FINGERPRINT,
                Completion.MEAN_LOGPROB,
                Completion.Engine.COLUMN));
        return FakeJob.withSpark(spark -> spark.read()
                .parquet(dir.resolve(name).toString())
                .drop(dropped.toArray(String[]::new))
                .orderBy("input_ref", "sample_idx")
                .collectAsList());
    }

    private int verify(String name) {
        return Millrace.commandLine().execute("verify", dir.resolve(name).toString());
    }

    private JsonNode manifest(String name) throws IOException {
        return new ObjectMapper()
                .readTree(dir.resolve(name).resolve("_millrace/run.json").toFile());
    }

    private String faultServer(String pidFile) {
        return String.join(
                " ",
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                JavaProcesses.classPath(),
                FaultServer.class.getName(),
                "{port}",
                dir.resolve(pidFile).toString(),
                "0");
    }

    private static final List<String> FAULTS = List.of(
            "RESET-ONCE",
            "CUT-ONCE",
            "GARBLE-ONCE",
            "ERROR-ONCE",
            "BUSY-ONCE",
            "HANG-ONCE",
            "HANG",
            "REFUSE",
            "TOO-LONG");

    /// A driver that is killed takes its server along; the run goes on and every row is there once, with what became
    /// of it. The key is nowhere.
    @Test
    void faultsDeathAndAKilledExecutor_everyRowOnce_noKey() throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>(
                IntStream.range(0, 40).mapToObj(row -> "row " + row).toList());
        for (int fault = 0; fault < FAULTS.size(); fault++) {
            lines.set(3 * fault, FAULTS.get(fault));
        }
        lines.set(31, "DIE=" + dir.resolve("mark"));
        Path input = Files.write(dir.resolve("in.txt"), lines);
        List<String> arguments = new ArrayList<>(List.of(
                "summarize",
                "--input",
                input.toString(),
                "--output",
                dir.resolve("out").toString(),
                "--master",
                "local[2,4]",
                "--no-gate"));
        arguments.addAll(settings(
                "engine.kind=served",
                "engine.max-running=4",
                "served.command=" + faultServer("pid"),
                "served.log-dir=" + dir,
                "served.request-seconds=2",
                "served.api-key-variable=" + FaultServer.KEY,
                "sampling.beams=1",
                "plan.shard-rows=10"));
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            Process first = start(processes, "first", arguments);
            Path pid = dir.resolve("pid");
            JavaProcesses.await(() -> Files.exists(pid) && !text(pid).isEmpty(), () -> processes.said("first"));
            ProcessHandle orphan = ProcessHandle.of(Long.parseLong(text(pid))).orElseThrow();
            first.destroyForcibly().waitFor();
            JavaProcesses.await(() -> !orphan.isAlive(), () -> "the server outlives its executor");

            Process second = start(processes, "second", arguments);
            assertThat(second.waitFor()).as(processes.said("second")).isEqualTo(ExitCode.OK);
        }

        assertThat(dir.resolve("mark")).as("the server died").exists();
        List<Row> rows = new FakeJob(dir.resolve("out")).rows();
        assertThat(rows).hasSize(lines.size());
        for (int row = 0; row < rows.size(); row++) {
            String expected = switch (lines.get(row)) {
                case "HANG" -> "SERVER_TIMEOUT";
                case "REFUSE" -> "SERVER_REFUSED";
                case "TOO-LONG" -> "CONTEXT_EXCEEDED";
                default -> "ok";
            };
            assertThat(FakeJob.outcome(rows.get(row))).as(lines.get(row)).isEqualTo(expected);
            if (expected.equals("ok")) {
                assertThat(rows.get(row).<String>getAs("output_text")).isEqualTo("echo " + lines.get(row));
            }
        }
        Row late = rows.get(lines.indexOf("HANG")).getAs("error");
        assertThat(late.<String>getAs("class")).isEqualTo("SERVER");
        assertThat(late.<Boolean>getAs("retryable")).isTrue();
        // the server's death may count as one more
        assertThat(late.<Integer>getAs("attempts")).isBetween(2, 3);
        assertThat(verify("out")).isEqualTo(ExitCode.OK);
        assertThat(filesWithTheKey()).isEmpty();
    }

    private static Process start(JavaProcesses processes, String name, List<String> arguments) throws IOException {
        return processes.startMillrace(
                name, List.of("env", FaultServer.KEY + "=" + KEY), List.of("-XX:TieredStopAtLevel=1"), arguments);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<Path> filesWithTheKey() throws IOException {
        try (Stream<Path> files = Files.walk(dir)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> text(file).contains(KEY))
                    .toList();
        }
    }

    /// A server that stands still is ended, and another answers what it had to.
    @Test
    void frozenServer_isReplaced() throws IOException {
        List<String> lines = new ArrayList<>(
                IntStream.range(0, 20).mapToObj(row -> "row " + row).toList());
        lines.set(7, "FREEZE=" + dir.resolve("mark"));
        Path input = Files.write(dir.resolve("in.txt"), lines);
        FakeJob job = new FakeJob(dir.resolve("frozen"));

        int exit = job.run(
                "local[1,4]",
                input.toString(),
                settings(
                                "engine.kind=served",
                                "engine.max-running=4",
                                "engine.stall-seconds=5",
                                "served.command=" + faultServer("pid"),
                                "served.log-dir=" + dir,
                                "plan.shard-rows=10")
                        .toArray(String[]::new));

        assertThat(exit).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(dir.resolve("mark")).exists();
        assertThat(job.rows()).extracting(FakeJob::outcome).hasSize(20).containsOnly("ok");
        assertThat(ProcessHandle.of(Long.parseLong(text(dir.resolve("pid")))))
                .as("a server after its job")
                .isEmpty();
    }
}
