package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.jobs.JobException;
import org.junit.jupiter.api.Test;

class SummarizeRunTest {
    private static final String TABLE = """
            rows in            100
            rows ok            100
            rows error         %s
            prompt tokens      12,345  (1234 tok/s)
            completion tokens  2,800  (280 tok/s)
            generation         0:10
            ROUGE-1 / 2 / L    41.20 / 19.05 / 37.14
            """;

    @Test
    void read_addsPromptsAndCompletions() {
        SummarizeRun run = SummarizeRun.read(TABLE.replace("%s", "0"));
        assertThat(run.tokensPerSecond()).isEqualTo(1514);
        assertThat(run.rouge()).containsExactly(41.20, 19.05, 37.14);
    }

    @Test
    void read_ofFailedRows_isNoMeasurement() {
        assertThatThrownBy(() -> SummarizeRun.read(TABLE.replace("%s", "3  (INTERNAL 3)")))
                .isInstanceOf(JobException.class)
                .hasMessageContaining("without failed rows");
    }
}
