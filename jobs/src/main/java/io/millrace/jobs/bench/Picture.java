package io.millrace.jobs.bench;

import io.millrace.engine.checkpoint.TokenCost;
import io.millrace.engine.kernel.Ceilings.Ceiling;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The batch-size curve and the roofline, side by side, as one PNG. Needs fonts, as any program that draws
/// letters.
final class Picture {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 620;
    /// What the axes of the roofline end with, in operations for a byte.
    private static final double MOST_INTENSE = 2048;
    private static final Color GRID = new Color(0xdd, 0xdd, 0xdd);
    private static final Color INK = new Color(0x22, 0x22, 0x22);
    private static final Color ROOF = new Color(0x88, 0x88, 0x88);

    /// By engine, distinguishable without colour by their markers.
    private static final List<Color> COLORS = List.of(
            new Color(0xc4, 0x1e, 0x3a), new Color(0x1f, 0x5f, 0xa8), new Color(0x2e, 0x7d, 0x32), Color.DARK_GRAY);
    private static final List<Marker> MARKERS =
            List.of(SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_UP);

    private final Results results;
    private final TokenCost cost;
    private final double bandwidth;
    private final double peak;

    private Picture(Results results) {
        this.results = results;
        this.cost = Facts.cost(results);
        this.bandwidth = results.ceiling(Facts.name(Ceiling.MEMORY)).orElseThrow();
        this.peak = results.ceiling(Facts.name(Ceiling.INT8))
                .orElseGet(() -> results.ceiling(Facts.name(Ceiling.FLOAT)).orElseThrow());
    }

    /// Draws what there is; nothing if no batch of ours was timed.
    static void draw(Results results, Path file) throws IOException {
        if (results.ceiling(Facts.name(Ceiling.MEMORY)).isPresent()
                && !decodes(results, Bars.OURS).isEmpty()) {
            Picture picture = new Picture(results);
            BitmapEncoder.saveBitmap(
                    List.of(picture.curve(), picture.roofline()), 1, 2, file.toString(), BitmapFormat.PNG);
        }
    }

    private static List<Work> decodes(Results results, String engine) {
        return results.works().stream()
                .filter(work -> !work.isPrefill() && results.rate(work, engine).isPresent())
                .toList();
    }

    private List<String> engines() {
        TreeSet<String> names = new TreeSet<>();
        results.works().forEach(work -> names.addAll(results.engines(work)));
        names.remove(Bars.OURS);
        List<String> engines = new ArrayList<>(List.of(Bars.OURS));
        engines.addAll(names);
        return engines;
    }

    // ---- tokens per second over streams ----

    private XYChart curve() {
        XYChart chart = chart("Decoding: " + results.text(Facts.MODEL, Facts.FILE), "streams at once", "tokens/s");
        List<String> engines = engines();
        for (String engine : engines) {
            List<Work> works = decodes(results, engine);
            double[] streams = works.stream().mapToDouble(Work::streams).toArray();
            points(chart, engine, engines.indexOf(engine), streams, rates(works, engine, 1));
        }
        roof(chart, "what memory and int8 allow", doublings(512), tokens -> roof(tokens) / operations());
        fit(chart);
        return chart;
    }

    private double[] rates(List<Work> works, String engine, double factor) {
        return works.stream()
                .mapToDouble(work -> factor * results.rate(work, engine).orElseThrow())
                .toArray();
    }

    private double operations() {
        return cost.bodyOperations() + cost.headOperations();
    }

    /// Operations per second that memory and cores allow for a step of so many tokens.
    private double roof(double tokens) {
        return Math.min(peak, intensity(tokens) * bandwidth);
    }

    /// Operations for each byte of weights read.
    private double intensity(double tokens) {
        return tokens * operations() / cost.bytesPerStep((int) Math.round(tokens));
    }

    // ---- operations per second over operations per byte ----

    private XYChart roofline() {
        XYChart chart = chart(
                "Roofline: " + results.text(Facts.MACHINE, Facts.THREADS) + " cores",
                "operations for a byte of weights; at the right edge: prefill",
                "G operations/s");
        List<String> engines = engines();
        for (String engine : engines) {
            List<Work> works = decodes(results, engine);
            double[] intensities = works.stream()
                    .mapToDouble(work -> intensity(work.streams()))
                    .toArray();
            points(chart, engine, engines.indexOf(engine), intensities, rates(works, engine, operations() / 1e9));
        }
        for (String engine : engines) {
            results.rate(Work.PREFILL, engine).ifPresent(rate -> prefill(chart, engine, engines.indexOf(engine), rate));
        }
        String name = String.format(Locale.ROOT, "%.0f GB/s, %.0f G int8/s", bandwidth / 1e9, peak / 1e9);
        roof(chart, name, doublings(MOST_INTENSE), x -> Math.min(peak, x * bandwidth) / 1e9);
        fit(chart);
        return chart;
    }

    /// At the right: a prompt reads weights once for many tokens.
    private void prefill(XYChart chart, String engine, int index, double rate) {
        double[] x = {MOST_INTENSE};
        double[] y = {rate * cost.bodyOperations() / 1e9};
        points(chart, engine + ", prefill", index, x, y);
        Objects.requireNonNull(chart.getSeriesMap().get(engine + ", prefill")).setShowInLegend(false);
    }

    // ---- drawing: both axes are logarithms to the base 2, so that every doubling has its label ----

    private static XYChart chart(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        XYStyler styler = chart.getStyler();
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotGridLinesColor(GRID);
        styler.setPlotBorderVisible(false);
        styler.setChartFontColor(INK);
        styler.setXAxisTickLabelsColor(INK);
        styler.setYAxisTickLabelsColor(INK);
        styler.setXAxisMin(0.0);
        styler.setxAxisTickLabelsFormattingFunction(Picture::power);
        styler.setyAxisTickLabelsFormattingFunction(Picture::power);
        styler.setLegendPosition(LegendPosition.OutsideS);
        styler.setLegendLayout(LegendLayout.Horizontal);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartTitleFont(font(Font.BOLD, 18));
        styler.setAxisTitleFont(font(Font.PLAIN, 16));
        styler.setAxisTickLabelsFont(font(Font.PLAIN, 14));
        styler.setLegendFont(font(Font.PLAIN, 15));
        return chart;
    }

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    private static String power(double log) {
        return Math.abs(log - Math.rint(log)) < 1e-6 ? String.format(Locale.ROOT, "%.0f", Math.pow(2, log)) : "";
    }

    private static void points(XYChart chart, String name, int index, double[] x, double[] y) {
        if (x.length > 0) {
            XYSeries series = chart.addSeries(name, logs(x), logs(y));
            series.setMarker(MARKERS.get(index % MARKERS.size()));
            series.setMarkerColor(COLORS.get(index % COLORS.size()));
            series.setLineColor(COLORS.get(index % COLORS.size()));
            series.setLineWidth(2.5f);
        }
    }

    private static void roof(XYChart chart, String name, double[] x, DoubleUnaryOperator y) {
        XYSeries series =
                chart.addSeries(name, logs(x), logs(Arrays.stream(x).map(y).toArray()));
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(ROOF);
        series.setLineStyle(
                new BasicStroke(2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {8, 6}, 0));
    }

    /// Ends the upright axis with whole powers.
    private static void fit(XYChart chart) {
        double[] y = chart.getSeriesMap().values().stream()
                .flatMapToDouble(series -> Arrays.stream(series.getYData()))
                .toArray();
        chart.getStyler().setYAxisMin(Math.floor(Arrays.stream(y).min().orElseThrow()));
        chart.getStyler().setYAxisMax(Math.ceil(Arrays.stream(y).max().orElseThrow()));
        chart.getStyler().setYAxisTickMarkSpacingHint(40);
        chart.getStyler().setXAxisTickMarkSpacingHint(40);
    }

    private static double[] logs(double[] values) {
        return Arrays.stream(values).map(value -> Math.log(value) / Math.log(2)).toArray();
    }

    private static double[] doublings(double most) {
        return DoubleStream.iterate(1, x -> x <= most, x -> 2 * x).toArray();
    }
}
