package io.millrace.jobs.bench;

import io.millrace.jobs.bench.VitalSigns.Sign;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// What a process held over the time: memory, and beside it what is counted, as one PNG. Needs fonts.
final class SoakPicture {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 560;
    private static final Color GRID = new Color(0xdd, 0xdd, 0xdd);
    private static final List<Color> COLORS = List.of(
            new Color(0xc4, 0x1e, 0x3a),
            new Color(0x1f, 0x5f, 0xa8),
            new Color(0x2e, 0x7d, 0x32),
            Color.ORANGE,
            Color.DARK_GRAY);

    private SoakPicture() {}

    static void draw(List<VitalSigns> signs, Path file) throws IOException {
        XYChart memory = chart("Memory of the process", "MiB");
        XYChart counts = chart("What it has open", "");
        for (Sign sign : VitalSigns.ALL) {
            boolean isMemory = sign.name().endsWith("_mib");
            line(isMemory ? memory : counts, isMemory ? sign.name().replace("_mib", "") : sign.name(), sign, signs);
        }
        BitmapEncoder.saveBitmap(List.of(memory, counts), 1, 2, file.toString(), BitmapFormat.PNG);
    }

    private static XYChart chart(String title, String y) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("minutes")
                .yAxisTitle(y)
                .build();
        XYStyler styler = chart.getStyler();
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotGridLinesColor(GRID);
        styler.setPlotBorderVisible(false);
        styler.setXAxisMin(0.0);
        styler.setYAxisMin(0.0);
        styler.setLegendPosition(LegendPosition.OutsideS);
        styler.setLegendLayout(LegendLayout.Horizontal);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 18));
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 16));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15));
        return chart;
    }

    /// What was not measured is not drawn.
    private static void line(XYChart chart, String name, Sign sign, List<VitalSigns> signs) {
        double[] values = signs.stream().mapToDouble(sign.value()).toArray();
        if (Double.isNaN(values[0])) {
            return;
        }
        double[] minutes = signs.stream().mapToDouble(now -> now.seconds() / 60).toArray();
        Color color = COLORS.get(chart.getSeriesMap().size());
        XYSeries series = chart.addSeries(name, minutes, values);
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(color);
        series.setLineWidth(2f);
    }
}
