package io.millrace.jobs.report;

import java.io.Serializable;
import java.util.Arrays;
import java.util.SplittableRandom;

/// The means of several figures of many rows, and between what bounds the means of 95 % of the samples lie
/// that are drawn from the rows with replacement: the percentile bootstrap, in the form that needs one pass
/// and can be added up in any order. Each of 1,000 samples has a row as often as a Poisson variable of mean
/// 1 says (Hanley and MacGibbon 2006; Chamandy et al. 2012), and the variable follows from the row's key
/// and the seed. Confined to one thread.
final class Resamples implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int SAMPLES = 1000;
    /// A Poisson variable of mean 1 for each value of 16 random bits.
    private static final byte[] POISSON = poisson();

    private final long seed;
    private final long[] counts;
    private final double[] sums;
    private final double[][] weights;
    private final double[][] weighted;

    /// A mean with its bounds.
    ///
    /// @param count rows that have the figure; 0 makes the others NaN
    record Interval(long count, double mean, double low, double high) {}

    /// @param figures how many there are
    Resamples(int figures, long seed) {
        this.seed = seed;
        counts = new long[figures];
        sums = new double[figures];
        weights = new double[figures][SAMPLES];
        weighted = new double[figures][SAMPLES];
    }

    private static byte[] poisson() {
        byte[] table = new byte[1 << 16];
        double probability = Math.exp(-1);
        double cumulated = probability;
        int value = 0;
        for (int at = 0; at < table.length; at++) {
            while ((at + 0.5) / table.length > cumulated) {
                probability /= ++value;
                cumulated += probability;
            }
            table[at] = (byte) value;
        }
        return table;
    }

    /// Adds a row.
    ///
    /// @param key of the row
    /// @param values a figure each; NaN where the row has none
    void add(long key, double... values) {
        for (int figure = 0; figure < values.length; figure++) {
            if (!Double.isNaN(values[figure])) {
                counts[figure]++;
                sums[figure] += values[figure];
            }
        }
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + key);
        long bits = 0;
        for (int sample = 0; sample < SAMPLES; sample++, bits >>>= 16) {
            if (sample % 4 == 0) {
                bits = random.nextLong();
            }
            int times = POISSON[(int) (bits & 0xFFFF)];
            for (int figure = 0; times > 0 && figure < values.length; figure++) {
                if (!Double.isNaN(values[figure])) {
                    weights[figure][sample] += times;
                    weighted[figure][sample] += times * values[figure];
                }
            }
        }
    }

    void add(Resamples other) {
        for (int figure = 0; figure < counts.length; figure++) {
            counts[figure] += other.counts[figure];
            sums[figure] += other.sums[figure];
            for (int sample = 0; sample < SAMPLES; sample++) {
                weights[figure][sample] += other.weights[figure][sample];
                weighted[figure][sample] += other.weighted[figure][sample];
            }
        }
    }

    Interval interval(int figure) {
        double[] means = new double[SAMPLES];
        int drawn = 0;
        for (int sample = 0; sample < SAMPLES; sample++) {
            if (weights[figure][sample] > 0) {
                means[drawn++] = weighted[figure][sample] / weights[figure][sample];
            }
        }
        if (drawn == 0) {
            return new Interval(0, Double.NaN, Double.NaN, Double.NaN);
        }
        means = Arrays.copyOf(means, drawn);
        Arrays.sort(means);
        return new Interval(
                counts[figure], sums[figure] / counts[figure], quantile(means, 0.025), quantile(means, 0.975));
    }

    private static double quantile(double[] sorted, double q) {
        double place = q * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
