package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/// What planning and resuming cost on tables of many rows of which all but a slice are done: time and the
/// driver's memory. Maven profile `scale`; `-Dscale.rows=100000,1000000`. The table is written to
/// `target/ledger-scale.md`.
@EnabledIfSystemProperty(
        named = "scale.rows",
        matches = ".+",
        disabledReason = "takes minutes to hours and many gigabytes: run with the Maven profile scale")
@Timeout(value = 10, unit = TimeUnit.HOURS)
class LedgerScaleIT {
    /// Heap of the driver, tasks and engine included, whatever the table; Spark wants 450 MiB.
    private static final String HEAP = "-Xmx512m";

    @TempDir
    private Path dir = Path.of("");

    @Test
    void resume_allButASliceDone() throws IOException, InterruptedException {
        List<String> table = new ArrayList<>();
        table.add("| rows | files | shards | planned anew, s | resumed, s | whole start, s | summed up, s"
                + " | kept on the heap, MiB | peak of the heap, MiB | peak of the process, MiB |");
        table.add("|---|---|---|---|---|---|---|---|---|---|");
        for (String rows : System.getProperty("scale.rows").split(",")) {
            table.add(measure(Long.parseLong(rows)));
            Files.write(Files.createDirectories(Path.of("target")).resolve("ledger-scale.md"), table);
        }
    }

    private String measure(long rows) throws IOException, InterruptedException {
        Path input = dir.resolve("in-" + rows);
        FakeJob.withSpark(spark -> {
            int files = (int) Math.ceilDiv(rows, 1_000_000L);
            spark.range(0, rows, 1, files)
                    .select(functions
                            .concat(functions.lit("row "), functions.col("id"))
                            .as("text"))
                    .write()
                    .parquet(input.toString());
            return files;
        });
        Path output = dir.resolve("out-" + rows);
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            run(processes, "plant-" + rows, "-Xmx1g", "plant", input, output);
            JsonNode found = run(processes, "resume-" + rows, HEAP, "resume", input, output);
            assertThat(found.path("rows").asLong()).isEqualTo(rows);
            return String.format(
                    Locale.ROOT,
                    "| %,d | %d | %,d | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f |",
                    rows,
                    Math.ceilDiv(rows, 1_000_000L),
                    found.path("shards").asInt(),
                    found.path("plan_seconds").asDouble(),
                    found.path("resume_seconds").asDouble(),
                    found.path("start_seconds").asDouble(),
                    found.path("sum_seconds").asDouble(),
                    found.path("kept_mib").asDouble(),
                    found.path("peak_heap_mib").asDouble(),
                    found.path("peak_process_mib").asDouble());
        }
    }

    private static JsonNode run(JavaProcesses processes, String name, String heap, String what, Path input, Path output)
            throws IOException, InterruptedException {
        Process process = processes.start(
                name,
                List.of(),
                LedgerScale.class.getName(),
                List.of(heap, "-XX:+UseSerialGC", "--sun-misc-unsafe-memory-access=allow"),
                List.of(what, input.toString(), output.toString()));
        assertThat(process.waitFor()).as(() -> processes.said(name)).isZero();
        return new ObjectMapper()
                .readTree(processes
                        .said(name)
                        .lines()
                        .filter(line -> line.startsWith("{\"shards\""))
                        .findFirst()
                        .orElse("{}"));
    }
}
