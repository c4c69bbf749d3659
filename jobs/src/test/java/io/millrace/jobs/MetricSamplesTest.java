package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.ProgressReport;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MetricSamplesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static ProgressReport report(String id, @Nullable String device) {
        return new ProgressReport(
                id,
                device,
                List.of("4", "5"),
                1,
                Map.of("TEXT_NULL", 2L, "INTERNAL", 3L),
                6,
                7,
                8,
                9,
                10,
                11,
                12,
                13,
                14,
                15,
                null,
                List.of());
    }

    @Test
    void add_executorWithAnEngine_hasAllFigures() throws IOException {
        MetricSamples samples = new MetricSamples(List.of("{\"start\":1}"));

        samples.add(Instant.EPOCH, 2, Duration.ofMillis(1500), List.of(report("0", "npu"), report("1", null)));

        List<String> lines = samples.text().lines().toList();
        assertThat(lines.getFirst()).isEqualTo("{\"start\":1}");
        assertThat(JSON.readTree(lines.getLast())).isEqualTo(JSON.readTree("""
                {"at": "1970-01-01T00:00:00Z", "start": 2, "elapsed_ms": 1500, "executors": [
                 {"id": "0", "device": "npu", "cards": ["4", "5"], "rows_ok": 1, "rows_error": 5,
                  "prompt_tokens": 6, "cached_tokens": 7, "completion_tokens": 8, "steps": 9,
                  "step_tokens": 10, "step_capacity": 11, "running": 12, "waiting": 13,
                  "cache_bytes": 14, "prefix_bytes": 15}]}
                """));
    }

    @Test
    void add_tooManyLooks_everySecondGoesAndTheyComeHalfAsOften() throws IOException {
        MetricSamples samples = new MetricSamples(List.of());
        for (int look = 0; look <= MetricSamples.MOST; look++) {
            assertThat(samples.interval()).isEqualTo(Duration.ofSeconds(2));
            samples.add(Instant.EPOCH, 1, Duration.ofMillis(look), List.of());
        }

        List<String> lines = samples.text().lines().toList();
        assertThat(samples.interval()).isEqualTo(Duration.ofSeconds(4));
        assertThat(lines).hasSize(MetricSamples.MOST / 2 + 1);
        assertThat(elapsed(lines.get(0))).isZero();
        assertThat(elapsed(lines.get(1))).isEqualTo(2);
        assertThat(elapsed(lines.getLast())).isEqualTo(MetricSamples.MOST);
    }

    private static long elapsed(String line) throws IOException {
        JsonNode node = JSON.readTree(line);
        return node.path("elapsed_ms").asLong(-1);
    }
}
