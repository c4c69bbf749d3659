package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A run that is stopped from outside, in a process of its own: by a signal, by a full disk, by an output that cannot
/// be written to any more. It says why and how it goes on, and does.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class StoppedIT {
    private static final int ROWS = 400;

    @TempDir
    private Path dir = Path.of("");

    private Path out = dir;
    private Path input = dir;

    @BeforeEach
    void setUp() throws IOException {
        out = dir.resolve("out");
        input = Files.write(
                dir.resolve("in.txt"),
                IntStream.range(0, ROWS).mapToObj(row -> "row " + row).toList());
    }

    /// @param engine which engine and model
    private List<String> args(List<String> engine) {
        List<String> args = new ArrayList<>(List.of("summarize", "--input", input.toString()));
        args.addAll(List.of("--output", out.toString(), "--master", "local[2]", "--no-gate", "--no-report"));
        args.addAll(List.of("-c", "plan.shard-rows=5", "--max-tokens", "4", "-c", "engine.max-running=4"));
        engine.forEach(setting -> args.addAll(List.of("-c", setting)));
        return args;
    }

    private static List<String> fake() {
        return List.of("engine.kind=fake", "engine.model-dir=fake-model");
    }

    private JsonNode manifest() throws IOException {
        return new ObjectMapper().readTree(out.resolve("_millrace/run.json").toFile());
    }

    private long parts(Path output) {
        try (Stream<Path> files = Files.exists(output) ? Files.list(output) : Stream.empty()) {
            return files.filter(file -> file.toString().endsWith(".parquet")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void interrupted_midway_abandonsCleanlyAndGoesOn() throws IOException, InterruptedException {
        // the bundled model: the run must last until it is interrupted
        List<String> args = args(List.of());
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            // where tests run in the background, SIGINT is ignored by whoever is started there
            Process run = processes.startMillrace("run", List.of("env", "--default-signal=INT"), List.of(), args);
            JavaProcesses.await(() -> parts(out) > 2 || !run.isAlive(), () -> processes.said("run"));
            assertThat(run.isAlive()).as(() -> processes.said("run")).isTrue();
            new ProcessBuilder("kill", "-INT", Long.toString(run.pid())).start().waitFor();
            run.waitFor();

            assertThat(processes.said("run"))
                    .contains(
                            "millrace: interrupted: ", " of 80 shards (", "the same command with --output ", "goes on");
            assertThat(run.exitValue()).isEqualTo(128 + 2);
            assertThat(manifest().path("state").asText()).isEqualTo("interrupted");
            assertThat(out.resolve("_millrace/staging")).isEmptyDirectory();
            assertThat(out.resolve("_SUCCESS")).doesNotExist();
            long before = parts(out);
            // a shard under way may still be committed, whole, after the count
            assertThat(before).isBetween(1L, 79L);
            assertThat(manifest().at("/shards/committed").asLong()).isBetween(1L, before);

            Process again = processes.startMillrace("again", List.of(), List.of(), args);
            assertThat(again.waitFor()).as(() -> processes.said("again")).isEqualTo(ExitCode.OK);
            assertThat(processes.said("again")).contains("rows before        " + 5 * before + "\n");
            assertThat(manifest().at("/counts/ok").asLong()).isEqualTo(ROWS);
            assertThat(manifest().path("starts")).hasSize(2);
        }
    }

    @Test
    void diskFull_midway_isSaidAndGoesOnWhenThereIsRoom() throws IOException, InterruptedException {
        // a file system that is full after some shards, and then has room
        Result result = inMountNamespace("""
                mount -t tmpfs -o size=400k tmpfs $OUT
                $RUN > first.log 2>&1; echo $? > first.exit
                mount -o remount,size=100m $OUT
                $RUN > second.log 2>&1; echo $? > second.exit
                cp -r $OUT kept
                """);

        assertThat(result.exit("first")).as(result.log("first")).isEqualTo(ExitCode.ERROR);
        assertThat(result.log("first")).contains("No space left on device", " of 80 shards (", "goes on");
        assertGoesOn(result);
    }

    @Test
    void outputReadOnly_midway_isSaidAndGoesOnWhenItIsNot() throws IOException, InterruptedException {
        Result result = inMountNamespace("""
                mount -t tmpfs -o size=100m tmpfs $OUT
                ( while [ $(ls $OUT | grep -c parquet) -lt 3 ]; do :; done
                  # refused as long as a file is open for writing
                  until mount -o remount,ro $OUT 2> /dev/null; do :; done ) &
                $RUN > first.log 2>&1; echo $? > first.exit
                wait
                mount -o remount,rw $OUT
                $RUN > second.log 2>&1; echo $? > second.exit
                cp -r $OUT kept
                """);

        assertThat(result.exit("first")).as(result.log("first")).isEqualTo(ExitCode.ERROR);
        assertThat(result.log("first")).contains("ead-only file system", " of 80 shards (", "goes on");
        assertGoesOn(result);
    }

    private void assertGoesOn(Result result) throws IOException {
        assertThat(result.exit("second")).as(result.log("second")).isEqualTo(ExitCode.OK);
        assertThat(result.log("second")).contains("rows before ");
        JsonNode manifest = new ObjectMapper()
                .readTree(dir.resolve("kept/_millrace/run.json").toFile());
        assertThat(manifest.at("/counts/ok").asLong()).isEqualTo(ROWS);
        assertThat(parts(dir.resolve("kept"))).isEqualTo(80);
    }

    /// Runs a script where it may mount. `$RUN` is the command, `$OUT` its output, an empty directory.
    private Result inMountNamespace(String script) throws IOException, InterruptedException {
        assumeTrue(mayMount(), "needs the right to make a mount namespace (unshare --mount --map-root-user)");
        Files.createDirectory(out);
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            String command = processes.millrace(List.of(), args(fake())).stream()
                    .map(word -> "'" + word.replace("'", "'\\''") + "'")
                    .collect(Collectors.joining(" "));
            Path run = Files.writeString(dir.resolve("run.sh"), "exec " + command + "\n");
            String file = "cd '" + dir + "'; OUT='" + out + "'; RUN='sh " + run + "'\n" + script;
            Process shell = new ProcessBuilder("unshare", "--mount", "--map-root-user", "sh", "-c", file)
                    .redirectErrorStream(true)
                    .redirectOutput(dir.resolve("script.log").toFile())
                    .start();
            assertThat(shell.waitFor())
                    .as(Files.readString(dir.resolve("script.log")))
                    .isZero();
        }
        return new Result(dir);
    }

    private static boolean mayMount() throws IOException, InterruptedException {
        try {
            return new ProcessBuilder("unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            // no such command here
            return false;
        }
    }

    /// What a script left behind.
    private record Result(Path dir) {
        int exit(String name) throws IOException {
            return Integer.parseInt(
                    Files.readString(dir.resolve(name + ".exit")).strip());
        }

        String log(String name) throws IOException {
            return Files.readString(dir.resolve(name + ".log"));
        }
    }
}
