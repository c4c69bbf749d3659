package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.python.PythonRandom;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// How the values of documents become one, and its standard error, as the harness's `api/metrics.py`
/// has them.
enum Aggregation {
    MEAN,
    /// Of values with weights: instructions that are followed, of all.
    WEIGHTED_MEAN,
    PERPLEXITY,
    WEIGHTED_PERPLEXITY,
    BITS_PER_BYTE;

    private static final int BOOTSTRAP_ROUNDS = 100_000;
    private static final int BOOTSTRAP_CHUNK = 1000;

    /// A document's value, with its weight where that counts: words, bytes or instructions.
    ///
    /// @param written as the file of samples has it
    record Item(double value, double weight, Object written) {
        static Item of(double value) {
            return new Item(value, 1, value);
        }
    }

    static Aggregation of(Keys options) {
        String word = options.required("aggregation");
        for (Aggregation aggregation : values()) {
            if (aggregation.name().toLowerCase(Locale.ROOT).equals(word)) {
                return aggregation;
            }
        }
        throw options.wrong(
                "aggregation", "one of " + List.of(values()).toString().toLowerCase(Locale.ROOT), word);
    }

    /// That of a metric whose file names none.
    static Aggregation usual(String metric) {
        return switch (metric) {
            case Metric.PERPLEXITY -> PERPLEXITY;
            case Metric.WORD_PERPLEXITY, Metric.BYTE_PERPLEXITY -> WEIGHTED_PERPLEXITY;
            case Metric.BITS_PER_BYTE -> BITS_PER_BYTE;
            case Metric.INSTRUCTION_STRICT, Metric.INSTRUCTION_LOOSE -> WEIGHTED_MEAN;
            default -> MEAN;
        };
    }

    double of(List<Item> items) {
        return switch (this) {
            case MEAN -> mean(items, Item::value);
            case WEIGHTED_MEAN -> weightedMean(items);
            case PERPLEXITY -> Math.exp(-mean(items, Item::value));
            case WEIGHTED_PERPLEXITY -> Math.exp(-weightedMean(items));
            case BITS_PER_BYTE -> -weightedMean(items) / Math.log(2);
        };
    }

    /// Null where the harness says `N/A`.
    @Nullable
    Double standardError(List<Item> items) {
        if (items.size() < 2) {
            return null;
        }
        return switch (this) {
            case MEAN -> deviation(items.stream().mapToDouble(Item::value).toArray()) / Math.sqrt(items.size());
            case PERPLEXITY -> bootstrapped(items);
            case WEIGHTED_MEAN, WEIGHTED_PERPLEXITY, BITS_PER_BYTE -> null;
        };
    }

    /// Over resamples that the harness's own random numbers draw, in chunks whose seeds count up.
    private double bootstrapped(List<Item> items) {
        double[] values = new double[BOOTSTRAP_ROUNDS];
        double[] items0 = items.stream().mapToDouble(Item::value).toArray();
        PythonRandom random = new PythonRandom(0);
        for (int round = 0; round < values.length; round++) {
            if (round % BOOTSTRAP_CHUNK == 0) {
                random = new PythonRandom(round / BOOTSTRAP_CHUNK);
            }
            double sum = 0;
            for (int draw = 0; draw < items0.length; draw++) {
                sum += items0[random.choice(items0.length)];
            }
            values[round] = Math.exp(-sum / items0.length);
        }
        return deviation(values);
    }

    /// Of a sample: divided by one less than there are.
    private static double deviation(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        double mean = sum / values.length;
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        return Math.sqrt(squares / (values.length - 1));
    }

    private static double mean(List<Item> items, ToDoubleFunction<Item> of) {
        return items.stream().mapToDouble(of).sum() / items.size();
    }

    private static double weightedMean(List<Item> items) {
        return items.stream().mapToDouble(Item::value).sum()
                / items.stream().mapToDouble(Item::weight).sum();
    }
}
