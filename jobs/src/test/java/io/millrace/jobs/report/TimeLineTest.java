package io.millrace.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.jobs.report.TimeLine.Counter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TimeLineTest {

    @TempDir
    private Path dir = Path.of("");

    private TimeLine read(String... lines) throws IOException {
        Files.createDirectories(dir.resolve("_millrace"));
        Files.writeString(dir.resolve("_millrace/metrics.jsonl"), String.join("\n", lines) + "\n");
        return TimeLine.read(RunFolder.open(dir.toString(), new Configuration()));
    }

    private static String sample(int start, long elapsed, String... executors) {
        return String.format(
                Locale.ROOT,
                "{\"at\":\"2026-01-01T00:00:00Z\",\"start\":%d,\"elapsed_ms\":%d,\"executors\":[%s]}",
                start,
                elapsed,
                String.join(",", executors));
    }

    private static String executor(String id, long tokens, long steps) {
        return String.format(
                Locale.ROOT,
                "{\"id\":\"%s\",\"device\":\"cpu\",\"cards\":[],\"rows_ok\":%d,\"completion_tokens\":%d,\"steps\":%d,"
                        + "\"step_tokens\":%d,\"step_capacity\":%d,\"running\":3,\"waiting\":1}",
                id,
                tokens / 10,
                tokens,
                steps,
                steps * 4,
                steps * 8);
    }

    @Test
    void spans_twoExecutorsAndTwoStarts_addUpWhatEachDid() throws IOException {
        TimeLine time = read(
                sample(1, 0, executor("0", 70, 7)),
                sample(1, 1000, executor("0", 170, 17)),
                sample(1, 2000, executor("0", 370, 27), executor("1", 50, 5)),
                sample(2, 0),
                sample(2, 1000, executor("0", 40, 4)));

        assertThat(time.total(Counter.COMPLETION_TOKENS)).isEqualTo(390);
        assertThat(time.seconds()).isEqualTo(3);
        assertThat(time.executorSeconds()).isEqualTo(4);
        assertThat(time.spans())
                .extracting(TimeLine.rate(Counter.COMPLETION_TOKENS)::applyAsDouble)
                .containsExactly(100.0, 250.0, 40.0);
        assertThat(TimeLine.occupancy(time.spans().getFirst())).isEqualTo(50);
        assertThat(time.executors().get("1").done(Counter.STEPS)).isEqualTo(5);
    }

    @Test
    void spans_countersFallBack_countFromNought() throws IOException {
        TimeLine time = read(
                sample(1, 0),
                sample(1, 1000, executor("0", 500, 50)),
                sample(1, 2000, executor("0", 20, 2)),
                sample(1, 3000, executor("0", 70, 7)));

        assertThat(time.total(Counter.COMPLETION_TOKENS)).isEqualTo(570);
        assertThat(time.spans()).allMatch(span -> span.done(Counter.COMPLETION_TOKENS) >= 0);
    }

    @Test
    void spans_manySamples_areTakenTogetherAndLoseNothing() throws IOException {
        String[] lines = new String[1000];
        for (int at = 0; at < lines.length; at++) {
            lines[at] = sample(1, 10L * at, executor("0", 3L * at, at));
        }
        TimeLine time = read(lines);

        assertThat(time.spans()).hasSizeLessThanOrEqualTo(240);
        assertThat(time.spans().stream()
                        .mapToLong(span -> span.done(Counter.COMPLETION_TOKENS))
                        .sum())
                .isEqualTo(2997);
    }

    @Test
    void read_noFile_isEmpty() {
        assertThat(TimeLine.read(RunFolder.open(dir.toString(), new Configuration()))
                        .isEmpty())
                .isTrue();
    }
}
