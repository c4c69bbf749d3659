package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.udf.MeteredFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A job whose model is on another file system, with two executors on one host: it is read once.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class StagedModelIT {
    private static final Path MODEL =
            Path.of("../engine/models/synopsis-v4").toAbsolutePath().normalize();

    @TempDir
    private Path dir = Path.of("");

    @Test
    void twoExecutorsOfOneHost_readTheModelOnce() throws IOException, InterruptedException {
        Path input = Files.write(
                dir.resolve("in.txt"),
                IntStream.range(0, 40)
                        .mapToObj(row -> "a short text with the number " + row)
                        .toList());
        Path log = dir.resolve("read.log");
        try (LocalCluster cluster = LocalCluster.start(dir.resolve("cluster"))) {
            List<String> args = new ArrayList<>(List.of("summarize", "--input", input.toString()));
            args.addAll(List.of(
                    "--output",
                    dir.resolve("out").toString(),
                    "--master",
                    cluster.master(),
                    "--no-gate",
                    "--no-report"));
            args.addAll(List.of("--max-tokens", "4", "--model", MeteredFileSystem.uri(MODEL)));
            for (String setting : List.of(
                    "engine.model-cache=" + dir.resolve("cache"),
                    "plan.shard-rows=5",
                    "spark.hadoop.fs.metered.impl=" + MeteredFileSystem.class.getName(),
                    "spark.hadoop." + MeteredFileSystem.LOG + "=" + log)) {
                args.addAll(List.of("-c", setting));
            }
            args.addAll(cluster.settings());
            Process run = cluster.startMillrace("run", args);

            assertThat(run.waitFor())
                    .as(() -> cluster.said("run") + cluster.logs())
                    .isEqualTo(ExitCode.OK);
            assertThat(cluster.said("run")).contains("rows ok            40\n");
        }
        List<String> once;
        try (Stream<Path> files = Files.list(MODEL)) {
            once = files.map(file -> file.getFileName() + " " + file.toFile().length())
                    .toList();
        }
        assertThat(Files.readAllLines(log))
                .extracting(line -> line.split(" ", 2)[1])
                .containsExactlyInAnyOrderElementsOf(once);
    }
}
