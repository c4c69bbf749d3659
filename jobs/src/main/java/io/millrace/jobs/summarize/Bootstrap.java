package io.millrace.jobs.summarize;

import java.util.Arrays;
import java.util.SplittableRandom;

/// The mean of some values, and between what bounds the means of 95 % of the samples lie that are drawn
/// from them with replacement (percentile bootstrap, Efron 1979). The same seed gives the same bounds.
///
/// @param low the 2.5th percentile of the samples' means
/// @param high the 97.5th
record Bootstrap(double mean, double low, double high, int values) {
    private static final int SAMPLES = 1000;
    private static final int FEWEST_SAMPLES = 100;
    /// Draws in all, so that a large table takes no longer than a moment.
    private static final long MOST_DRAWS = 50_000_000;

    /// @param values at least one
    static Bootstrap of(double[] values, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int samples = Math.clamp(MOST_DRAWS / values.length, FEWEST_SAMPLES, SAMPLES);
        double[] means = new double[samples];
        for (int sample = 0; sample < samples; sample++) {
            double sum = 0;
            for (int draw = 0; draw < values.length; draw++) {
                sum += values[random.nextInt(values.length)];
            }
            means[sample] = sum / values.length;
        }
        Arrays.sort(means);
        double mean = Arrays.stream(values).sum() / values.length;
        return new Bootstrap(mean, quantile(means, 0.025), quantile(means, 0.975), values.length);
    }

    private static double quantile(double[] sorted, double q) {
        double place = q * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
