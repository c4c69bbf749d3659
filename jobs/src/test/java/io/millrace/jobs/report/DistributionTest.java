package io.millrace.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DistributionTest {

    private static double sum(Chart chart) {
        return chart.series().getFirst().values().stream()
                .mapToDouble(Double::doubleValue)
                .sum();
    }

    @Test
    void bars_smallNumbers_countEachValue() {
        Distribution values = new Distribution(1);
        for (int value : new int[] {3, 3, 4, 7, 7, 7}) {
            values.add(value);
        }

        Chart chart = values.bars("", "");

        assertThat(chart.labels()).containsExactly("0", "1", "2", "3", "4", "5", "6", "7");
        assertThat(chart.series().getFirst().values()).containsExactly(0.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 3.0);
    }

    @Test
    void bars_longTail_losesNoRowAndSaysThatTheLastIsOpen() {
        Distribution values = new Distribution(1);
        for (int row = 0; row < 1000; row++) {
            values.add(row % 100);
        }
        values.add(50_000);

        Chart chart = values.bars("", "");

        assertThat(sum(chart)).isEqualTo(1001);
        assertThat(chart.labels().size()).isBetween(10, 31);
        assertThat(chart.labels().getLast()).startsWith("≥ ");
        assertThat(chart.series().getFirst().values().getLast()).isEqualTo(1);
    }

    @Test
    void quantiles_fractions_areWithinOnePercent() {
        Distribution one = new Distribution(0.001);
        Distribution other = new Distribution(0.001);
        for (int row = 1; row <= 10_000; row++) {
            (row % 2 == 0 ? one : other).add(row / 7.0);
        }
        one.add(other);

        assertThat(one.count()).isEqualTo(10_000);
        assertThat(one.quantile(0.5)).isCloseTo(5000 / 7.0, within(0.01 * 5000 / 7.0));
        assertThat(one.quantile(0.99)).isCloseTo(9900 / 7.0, within(0.01 * 9900 / 7.0));
        assertThat(one.mean()).isCloseTo(5000.5 / 7, within(1e-6));
    }
}
