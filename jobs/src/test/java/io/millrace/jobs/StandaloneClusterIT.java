package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A run on a cluster of processes: the closure travels, the plugin opens an engine per executor, and every
/// row comes back once.
class StandaloneClusterIT {
    private static final int ROWS = 400;

    @TempDir
    private Path dir = Path.of("");

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void summarize_twoWorkers_bothWorkAndEveryRowComesOnce() throws IOException, InterruptedException {
        String input = Files.write(
                        dir.resolve("in.txt"),
                        IntStream.range(0, ROWS).mapToObj(row -> "row " + row).toList())
                .toString();
        try (LocalCluster cluster = LocalCluster.start(dir)) {
            FakeJob job = new FakeJob(dir.resolve("out"));
            List<String> settings = new ArrayList<>(cluster.settings());
            settings.addAll(List.of("-c", "plan.shard-rows=50"));

            int exit = job.run(cluster.master(), input, settings.toArray(String[]::new));

            assertThat(exit).as(() -> job.err() + cluster.logs()).isEqualTo(ExitCode.OK);
            List<Row> rows = job.rows();
            assertThat(rows).hasSize(ROWS);
            assertThat(rows)
                    .extracting(row -> row.<String>getAs("output_text"))
                    .containsExactlyElementsOf(IntStream.range(0, ROWS)
                            .mapToObj(row -> "row " + row)
                            .toList());
            assertThat(rows).extracting(row -> row.<String>getAs("request_id")).doesNotHaveDuplicates();
            assertThat(rows.stream()
                            .map(row -> row.<Row>getAs("engine").<String>getAs("device"))
                            .distinct())
                    .hasSize(2)
                    .doesNotContain("fake-" + ProcessHandle.current().pid());
            assertThat(lastSample().findValues("rows_ok")).hasSize(2);
            assertThat(lastSample().findValues("rows_ok").stream()
                            .mapToLong(JsonNode::asLong)
                            .sum())
                    .isEqualTo(ROWS);
        }
    }

    /// What the executors had done when the run ended.
    private JsonNode lastSample() throws IOException {
        List<String> samples = Files.readAllLines(dir.resolve("out/_millrace/metrics.jsonl"));
        return new ObjectMapper().readTree(samples.getLast());
    }
}
