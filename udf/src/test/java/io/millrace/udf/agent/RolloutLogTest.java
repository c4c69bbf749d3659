package io.millrace.udf.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RolloutLogTest {
    @TempDir
    private Path dir = Path.of("");

    private RolloutLog open() throws IOException {
        return RolloutLog.open(new org.apache.hadoop.fs.Path(dir.resolve("log").toUri()), new Configuration());
    }

    private static LogRecord said(String text) {
        return new LogRecord.Said(new Turn(text, null, List.of(), "stop", Turn.Usage.NONE), 5, 1.5);
    }

    private Path segment(int number) {
        return dir.resolve("log/log-00000" + number + ".jsonl");
    }

    @Test
    void add_isThereBeforeTheLogIsClosed() throws IOException {
        LogRecord done = new LogRecord.Done(
                new Observation("out\n\0ü", 1, "why", true), new Changes(java.util.Map.of(), List.of("x"), null), 7, 2);
        try (RolloutLog log = open()) {
            log.add(said("a"));
            log.add(done);
            log.add(new LogRecord.End("Submitted", "patch", 9, 3));

            assertThat(open().records()).isEqualTo(log.records()).hasSize(3);
        }
        assertThat(open().records().get(1)).isEqualTo(done);
    }

    @Test
    void open_lineThatWasCut_doesNotCount() throws IOException {
        try (RolloutLog log = open()) {
            log.add(said("a"));
            log.add(said("b"));
        }
        String text = Files.readString(segment(0));
        Files.writeString(segment(0), text.substring(0, text.length() - 10));
        try (RolloutLog log = open()) {
            assertThat(log.records()).containsExactly(said("a"));
            log.add(said("c"));
        }
        assertThat(open().records()).containsExactly(said("a"), said("c"));
    }

    @Test
    void open_attemptThatLivedOn_isVoidBehindWhereTheNextBegan() throws IOException {
        try (RolloutLog first = open()) {
            first.add(said("a"));
            try (RolloutLog second = open()) {
                second.add(said("b"));
                first.add(said("late"));
                second.add(said("c"));
            }
        }
        assertThat(open().records()).containsExactly(said("a"), said("b"), said("c"));
    }

    @Test
    void open_damagedLine_isRefusedWithItsPlace() throws IOException {
        try (RolloutLog log = open()) {
            log.add(said("a"));
        }
        Files.writeString(segment(0), "{\"record\":\n", StandardOpenOption.APPEND);
        assertThatThrownBy(this::open)
                .isInstanceOf(RolloutException.class)
                .hasMessageContaining("log-000000.jsonl, line 3");
    }
}
