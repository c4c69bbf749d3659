package io.millrace.notebooks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;

class ChartsTest {

    @Test
    void counts_highestValue_isInTheLastBin() {
        assertThat(Charts.counts(new double[] {0, 1, 1.9, 2, 4}, 0, 1, 4)).containsExactly(1, 2, 1, 1);
    }

    @Test
    void histogram_twoSeries_shareTheBins() {
        XYChart chart = Charts.histogram("t", "x", Map.of("a", new double[] {0, 0, 10}, "b", new double[] {5}), 5);

        double[] a = chart.getSeriesMap().get("a").getYData();
        double[] b = chart.getSeriesMap().get("b").getYData();
        // each bin is drawn from its left corner to its right one
        assertThat(a).containsExactly(0, 2, 2, 0, 0, 0, 0, 0, 0, 1, 1, 0);
        assertThat(b).containsExactly(0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0);
        assertThat(Arrays.stream(chart.getSeriesMap().get("b").getXData()).max())
                .hasValue(10);
    }

    @Test
    void histogram_oneValue_hasABinOfItsOwn() {
        XYChart chart = Charts.histogram("t", "x", Map.of("a", new double[] {7, 7}), 3);

        assertThat(chart.getSeriesMap().get("a").getYData()).containsExactly(0, 2, 2, 0, 0, 0, 0, 0);
    }
}
