package io.millrace.jobs.bench;

import io.millrace.engine.checkpoint.TokenCost;
import io.millrace.engine.kernel.Ceilings.Ceiling;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The batch-size curve and the roofline, side by side, as one PNG. Needs fonts, as any program that draws letters.
final class Picture {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 620;
    private static final int DPI = 144;
    private static final Color GRID = new Color(0xdd, 0xdd, 0xdd);
    private static final Color INK = new Color(0x22, 0x22, 0x22);
    private static final Color ROOF = new Color(0x88, 0x88, 0x88);

    /// By engine, distinguishable without colour by their markers.
    private static final List<Color> COLORS =
            List.of(new Color(0xc4, 0x1e, 0x3a), new Color(0x1f, 0x5f, 0xa8), new Color(0x2e, 0x7d, 0x32), Color.ORANGE);

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
        for (int i = 0; i < engines.size(); i++) {
            addCurve(chart, engines.get(i), i);
        }
        double[] streams = powers(1, 512);
        line(chart, "roof: memory, int8", streams, tokens -> roof(tokens) / operations(), true);
        return chart;
    }

    private void addCurve(XYChart chart, String engine, int index) {
        List<Work> works = decodes(results, engine);
        if (!works.isEmpty()) {
            points(
                    chart,
                    engine,
                    index,
                    works.stream().mapToDouble(Work::streams).toArray(),
                    works.stream()
                            .mapToDouble(work -> results.rate(work, engine).orElseThrow())
                            .toArray());
        }
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
                "operations per byte of weights",
                "G operations/s");
        List<String> engines = engines();
        for (int i = 0; i < engines.size(); i++) {
            addPoints(chart, engines.get(i), i);
        }
        double[] bytes = powers(1, 2048);
        line(chart, String.format(Locale.ROOT, "memory: %.0f GB/s", bandwidth / 1e9), bytes, x -> Math.min(peak, x * bandwidth) / 1e9, true);
        return chart;
    }

    private void addPoints(XYChart chart, String engine, int index) {
        Map<Double, Double> points = new LinkedHashMap<>();
        for (Work work : decodes(results, engine)) {
            double rate = results.rate(work, engine).orElseThrow();
            points.put(intensity(work.streams()), rate * operations() / 1e9);
        }
        if (!points.isEmpty()) {
            points(
                    chart,
                    engine,
                    index,
                    points.keySet().stream().mapToDouble(x -> x).toArray(),
                    points.values().stream().mapToDouble(y -> y).toArray());
        }
    }

    // ---- drawing ----

    private static XYChart chart(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        var styler = chart.getStyler();
        styler.setChartBackgroundColor(Color.WHITE).setPlotBackgroundColor(Color.WHITE);
        styler.setPlotGridLinesColor(GRID).setPlotBorderVisible(false);
        styler.setChartFontColor(INK);
        styler.setXAxisTickLabelsColor(INK).setYAxisTickLabelsColor(INK);
        styler.setXAxisLogarithmic(true).setYAxisLogarithmic(true);
        styler.setLegendPosition(LegendPosition.OutsideS);
        styler.setLegendLayout(org.knowm.xchart.style.Styler.LegendLayout.Horizontal);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 18));
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 16));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15));
        return chart;
    }

    private static void points(XYChart chart, String name, int index, double[] x, double[] y) {
        XYSeries series = chart.addSeries(name, x, y);
        series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(COLORS.get(index % COLORS.size()));
        series.setLineColor(COLORS.get(index % COLORS.size())).setLineWidth(2.5f);
    }

    private static void line(XYChart chart, String name, double[] x, DoubleUnaryOperator y, boolean dashed) {
        double[] values = java.util.Arrays.stream(x).map(y).toArray();
        XYSeries series = chart.addSeries(name, x, values);
        series.setMarker(SeriesMarkers.NONE).setLineColor(ROOF);
        series.setLineStyle(new BasicStroke(2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {8, 6}, 0));
    }

    private static double[] powers(double from, double to) {
        return java.util.stream.DoubleStream.iterate(from, x -> x <= to, x -> 2 * x).toArray();
    }
}
