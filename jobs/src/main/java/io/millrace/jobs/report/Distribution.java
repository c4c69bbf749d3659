package io.millrace.jobs.report;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/// How the values of many rows are distributed: any number of them in a few kilobytes, quantiles to within
/// 1 % of the value, and the same whatever the order in which rows and parts were added. Confined to one
/// thread.
final class Distribution implements Serializable {
    private static final long serialVersionUID = 1L;
    /// Two digits: two values of one bucket differ by less than a hundredth.
    private static final int DIGITS = 2;

    private static final int MOST_BARS = 30;

    private final double unit;
    private final Histogram histogram = new Histogram(DIGITS);
    private double sum;

    /// @param unit smallest difference between values, such as 0.001
    Distribution(double unit) {
        this.unit = unit;
        histogram.setAutoResize(true);
    }

    /// @param value at least 0
    void add(double value) {
        histogram.recordValue(Math.round(Math.max(0, value) / unit));
        sum += value;
    }

    void add(Distribution other) {
        histogram.add(other.histogram);
        sum += other.sum;
    }

    long count() {
        return histogram.getTotalCount();
    }

    double sum() {
        return sum;
    }

    /// NaN of no values.
    double mean() {
        return sum / count();
    }

    /// @param q in [0, 1]
    double quantile(double q) {
        return count() == 0 ? Double.NaN : histogram.getValueAtPercentile(100 * q) * unit;
    }

    double max() {
        return histogram.getMaxValue() * unit;
    }

    /// How many values lie in each of at most 30 intervals of equal and round width; what is beyond twice
    /// the 99th percentile is in the last.
    Chart bars(String caption, String xTitle) {
        double end = Math.min(max(), Math.max(2 * quantile(0.99), unit));
        double start = end - quantile(0) > quantile(0) ? 0 : quantile(0);
        double width = roundWidth(end - start);
        start = Math.floor(start / width) * width;
        int bars = (int) Math.max(1, Math.floor((end - start) / width + 1e-9) + 1);
        long[] counts = new long[bars];
        for (var bucket : histogram.recordedValues()) {
            double value = bucket.getValueIteratedTo() * unit;
            int bar = (int) Math.floor((value - start) / width + 1e-9);
            counts[Math.clamp(bar, 0, bars - 1)] += bucket.getCountAtValueIteratedTo();
        }
        List<String> labels = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (int bar = 0; bar < bars; bar++) {
            labels.add(label(start + bar * width, width, bar == bars - 1 && max() >= start + bars * width));
            values.add((double) counts[bar]);
        }
        return Chart.bars(caption, xTitle, "rows", labels, values);
    }

    private String label(double from, double width, boolean open) {
        if (open) {
            return "≥ " + shown(from);
        }
        return width == unit ? shown(from) : shown(from) + "–" + shown(from + width - unit);
    }

    private String shown(double value) {
        int digits = unit >= 1 ? 0 : value >= 100 ? 0 : value >= 1 ? 1 : 3;
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    /// 1, 2 or 5 times a power of ten times the unit.
    private double roundWidth(double range) {
        double width = unit;
        for (int step = 0; range / width >= MOST_BARS; step++) {
            width *= step % 3 == 1 ? 2.5 : 2;
        }
        return width;
    }
}
