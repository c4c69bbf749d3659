package io.millrace.notebooks;

import java.awt.Color;
import java.awt.Font;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// Charts of one look. Need fonts, as any program that draws letters.
public final class Charts {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 380;
    /// Told apart without colour by how light they are.
    static final Color[] COLORS = {new Color(0x1f, 0x5f, 0xa8), new Color(0xe0, 0x8a, 0x1e), new Color(0x7f, 0xb8, 0x8a)
    };

    private Charts() {}

    /// Points or lines over numbers.
    public static XYChart xy(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        style(chart.getStyler());
        return chart;
    }

    /// Bars over words.
    public static CategoryChart bars(String title, String x, String y) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        style(chart.getStyler());
        return chart;
    }

    private static void style(AxesChartStyler style) {
        style.setChartBackgroundColor(Color.WHITE);
        style.setPlotBackgroundColor(Color.WHITE);
        style.setPlotGridLinesColor(new Color(0xdd, 0xdd, 0xdd));
        style.setPlotBorderVisible(false);
        style.setSeriesColors(COLORS);
        style.setLegendPosition(LegendPosition.OutsideS);
        style.setLegendLayout(LegendLayout.Horizontal);
        style.setLegendBorderColor(Color.WHITE);
        style.setChartTitleFont(font(Font.BOLD, 15));
        style.setAxisTitleFont(font(Font.PLAIN, 13));
        style.setXAxisDecimalPattern("0.##");
        style.setAxisTickLabelsFont(font(Font.PLAIN, 12));
        style.setLegendFont(font(Font.PLAIN, 13));
    }

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    /// How many values lie in each of `bins` equal bins, which all series share, as outlines.
    ///
    /// @param series values by name, in the order in which they are drawn; at least one value in all
    public static XYChart histogram(String title, String x, Map<String, double[]> series, int bins) {
        double low = extreme(series, true);
        double high = extreme(series, false);
        double width = high > low ? (high - low) / bins : 1;
        XYChart chart = xy(title, x, "rows");
        series.forEach((name, values) -> outline(chart, name, counts(values, low, width, bins), low, width));
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setLegendVisible(series.size() > 1);
        return chart;
    }

    private static double extreme(Map<String, double[]> series, boolean lowest) {
        double[] all = series.values().stream().flatMapToDouble(Arrays::stream).toArray();
        return (lowest ? Arrays.stream(all).min() : Arrays.stream(all).max()).orElseThrow();
    }

    /// Values in each bin; the highest value belongs to the last.
    static double[] counts(double[] values, double low, double width, int bins) {
        double[] counts = new double[bins];
        for (double value : values) {
            counts[(int) Math.min(bins - 1, (value - low) / width)]++;
        }
        return counts;
    }

    private static void outline(XYChart chart, String name, double[] counts, double low, double width) {
        int corners = 2 * counts.length + 2;
        double[] x = IntStream.range(0, corners)
                .mapToDouble(i -> low + width * Math.floorDiv(i, 2))
                .toArray();
        double[] y = IntStream.range(0, corners)
                .mapToDouble(i -> i == 0 || i == corners - 1 ? 0 : counts[(i - 1) / 2])
                .toArray();
        XYSeries line = chart.addSeries(name, x, y);
        line.setMarker(SeriesMarkers.NONE);
        line.setLineWidth(2.5f);
    }

    /// The values of a column that are not null.
    public static double[] numbers(List<Row> rows, String column) {
        return rows.stream()
                .filter(row -> !row.isNullAt(row.fieldIndex(column)))
                .mapToDouble(row -> row.<Number>getAs(column).doubleValue())
                .toArray();
    }
}
