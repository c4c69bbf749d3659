package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.udf.RunProgress;
import io.millrace.udf.shard.RowSummary;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressTest {

    @Test
    void line_midway_hasRatesAndRemainingTime() {
        RunProgress.Totals done =
                new RunProgress.Totals(1, 22, Map.of("TEXT_NULL", 2L, "PROMPT_TOO_LONG", 1L), 1000, 400, 500, 7, 3);

        assertThat(Progress.line(done, 100, 0, Duration.ofSeconds(10)))
                .isEqualTo("25/100 rows (25%)  100 tok/s in  50 tok/s out  40% cached  7 running  3 waiting  ETA 0:30"
                        + "  3 errors (TEXT_NULL 2, PROMPT_TOO_LONG 1)");
    }

    @Test
    void line_rowsFromBefore_countAsDoneButNotAsFast() {
        RunProgress.Totals done = new RunProgress.Totals(1, 24, Map.of("TEXT_NULL", 1L), 1000, 0, 500, 7, 3);

        assertThat(Progress.line(done, 100, 50, Duration.ofSeconds(10)))
                .startsWith("75/100 rows (75%)")
                .endsWith("ETA 0:10  1 errors (TEXT_NULL 1)");
    }

    @Test
    void line_nothingDone_knowsNoRemainingTime() {
        RunProgress.Totals done = new RunProgress.Totals(0, 0, Map.of(), 0, 0, 0, 0, 0);

        assertThat(Progress.line(done, 100, 0, Duration.ZERO))
                .startsWith("0/100 rows (0%)")
                .endsWith("ETA ?  0 errors");
    }

    @Test
    void clock_hours_areShownWhenThereAreAny() {
        assertThat(Progress.clock(59)).isEqualTo("0:59");
        assertThat(Progress.clock(3723)).isEqualTo("1:02:03");
    }

    @Test
    void summaryTable_hasRowsTokensAndRouge() {
        assertThat(SummaryTable.of(10, 0, rows(), Duration.ofSeconds(20))
                        .line("gate", "pass")
                        .toString())
                .isEqualTo("""
                        rows in            10
                        rows ok            8
                        rows error         2  (TEXT_NULL 2)
                        prompt tokens      4,000  (200 tok/s)
                        completion tokens  2,000  (100 tok/s)
                        generation         0:20
                        ROUGE-1 / 2 / L    25.00 / 12.50 / 20.00
                        gate               pass
                        """);
    }

    @Test
    void summaryTable_rowsFromBefore_areShownAndRatesAreNot() {
        assertThat(SummaryTable.of(10, 4, rows(), Duration.ofSeconds(20)).toString())
                .contains("rows before        4\n", "prompt tokens      4,000\n");
    }

    @Test
    void summaryTable_rowsSetAside_areCountedIfThereAreAny() {
        assertThat(SummaryTable.of(10, 0, rows(), Duration.ofSeconds(20))
                        .quarantine(1200, 30, 7)
                        .toString())
                .contains("rows quarantined   1,200\n", "rows retried       30  (7 recovered)\n");
        assertThat(SummaryTable.of(10, 0, rows(), Duration.ofSeconds(20))
                        .quarantine(0, 30, 30)
                        .toString())
                .contains("rows quarantined   0\n");
        assertThat(SummaryTable.of(10, 0, rows(), Duration.ofSeconds(20))
                        .quarantine(0, 0, 0)
                        .toString())
                .doesNotContain("quarantined", "retried");
    }

    private static RowSummary rows() {
        return new RowSummary(
                10,
                Map.of("ok", 8L, "error", 2L),
                Map.of("TEXT_NULL", 2L),
                0,
                0,
                4000,
                0,
                2000,
                0,
                4,
                1,
                0.5,
                0.8,
                Map.of(),
                RowSummary.NONE.digest());
    }
}
