package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
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

/// What hangs and does not die: an engine that makes no step any more, an executor that stands still. Both are given
/// up, and what they had to do is done by another.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class HangIT {

    @TempDir
    private Path dir = Path.of("");

    @Test
    void stuckEngine_isReplacedAndItsRowsAreDone() throws IOException {
        Path mark = dir.resolve("mark");
        List<String> lines = new ArrayList<>(
                IntStream.range(0, 40).mapToObj(row -> "row " + row).toList());
        lines.set(17, "HANGS-ONCE=" + mark);
        Path input = Files.write(dir.resolve("in.txt"), lines);
        FakeJob job = new FakeJob(dir.resolve("out"));

        int exit = job.run("local[2,4]", input.toString(), "-c", "plan.shard-rows=10", "-c", "engine.stall-seconds=2");

        assertThat(exit).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(mark).as("the first engine got the row and hung").exists();
        List<Row> rows = job.rows();
        assertThat(rows).extracting(FakeJob::outcome).hasSize(40).containsOnly("ok");
        assertThat(rows).extracting(row -> row.<String>getAs("request_id")).doesNotHaveDuplicates();
    }

    @Test
    void executorThatStandsStill_isReplacedAndItsShardsAreDone() throws IOException, InterruptedException {
        Path input = Files.write(
                dir.resolve("in.txt"),
                IntStream.range(0, 300)
                        .mapToObj(row -> "a short text with the number " + row)
                        .toList());
        Path output = dir.resolve("out");
        try (LocalCluster cluster = LocalCluster.start(dir.resolve("cluster"))) {
            // the bundled model: the run must last until the executor is found out
            List<String> args = new ArrayList<>(List.of("summarize", "--input", input.toString()));
            args.addAll(
                    List.of("--output", output.toString(), "--master", cluster.master(), "--no-gate", "--no-report"));
            args.addAll(List.of("--max-tokens", "8", "-c", "engine.max-running=4", "-c", "plan.shard-rows=10"));
            args.addAll(List.of("-c", "engine.stall-seconds=8"));
            args.addAll(cluster.settings());
            Process run = cluster.startMillrace("run", args);
            JavaProcesses.await(() -> parts(output) > 0 && cluster.executors().size() == 2, () -> cluster.said("run"));
            ProcessHandle still = cluster.executors().getFirst();

            new ProcessBuilder("kill", "-STOP", Long.toString(still.pid()))
                    .start()
                    .waitFor();

            assertThat(run.waitFor())
                    .as(() -> cluster.said("run") + cluster.logs())
                    .isEqualTo(ExitCode.OK);
            assertThat(cluster.said("run")).contains("rows ok            300\n");
            // a process that stands still takes no other signal than the last one its worker sends
            JavaProcesses.await(
                    () -> !still.isAlive(), () -> "the executor that stood still is there: " + cluster.logs());
        }
    }

    private static int parts(Path output) {
        try (Stream<Path> files = Files.exists(output) ? Files.list(output) : Stream.empty()) {
            return (int)
                    files.filter(file -> file.toString().endsWith(".parquet")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
