package io.millrace.jobs.report;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.distribution.BinomialDistribution;

/// Figures that two runs have of the same things, pair by pair. Can be added up in any order. Confined to
/// one thread.
final class Paired implements Serializable {
    private static final long serialVersionUID = 1L;

    private final List<String> names;
    private final double[] sumsA;
    private final double[] sumsB;
    /// By figure: pairs with 0 and 0, 0 and 1, 1 and 0, 1 and 1.
    private final long[][] cells;
    private final long[] others;
    private final Resamples differences;

    /// What came out for a figure.
    ///
    /// @param pairs that have it on both sides
    /// @param a mean of the first run over them; likewise the second
    /// @param difference mean of second minus first, with its bounds
    /// @param isBinary whether all values are 0 or 1
    /// @param onlyA of a binary figure, pairs where only the first run has 1; likewise the other
    /// @param p of a binary figure, how likely a split of those pairs at least as uneven is if both runs
    ///     are equally good (McNemar's test, exact and two-sided); NaN of others
    record Line(
            String name,
            long pairs,
            double a,
            double b,
            Resamples.Interval difference,
            boolean isBinary,
            long onlyA,
            long onlyB,
            double p) {

        /// Whether the bounds leave out 0.
        boolean isClear() {
            return difference.low() > 0 || difference.high() < 0;
        }
    }

    Paired(List<String> names, long seed) {
        this.names = List.copyOf(names);
        sumsA = new double[names.size()];
        sumsB = new double[names.size()];
        cells = new long[names.size()][4];
        others = new long[names.size()];
        differences = new Resamples(names.size(), seed);
    }

    /// Adds a pair.
    ///
    /// @param key of it
    /// @param a figures of the first run, NaN where it has none; likewise the second
    void add(long key, double[] a, double[] b) {
        double[] difference = new double[a.length];
        for (int figure = 0; figure < a.length; figure++) {
            difference[figure] = b[figure] - a[figure];
            if (!Double.isNaN(difference[figure])) {
                sumsA[figure] += a[figure];
                sumsB[figure] += b[figure];
                if (isBit(a[figure]) && isBit(b[figure])) {
                    cells[figure][2 * (int) a[figure] + (int) b[figure]]++;
                } else {
                    others[figure]++;
                }
            }
        }
        differences.add(key, difference);
    }

    private static boolean isBit(double value) {
        return value == 0 || value == 1;
    }

    void add(Paired other) {
        for (int figure = 0; figure < cells.length; figure++) {
            sumsA[figure] += other.sumsA[figure];
            sumsB[figure] += other.sumsB[figure];
            others[figure] += other.others[figure];
            for (int cell = 0; cell < cells[figure].length; cell++) {
                cells[figure][cell] += other.cells[figure][cell];
            }
        }
        differences.add(other.differences);
    }

    /// The figures that some pair has.
    List<Line> lines() {
        List<Line> lines = new ArrayList<>();
        for (int figure = 0; figure < names.size(); figure++) {
            Resamples.Interval difference = differences.interval(figure);
            if (difference.count() > 0) {
                boolean isBinary = others[figure] == 0;
                long onlyB = cells[figure][1];
                long onlyA = cells[figure][2];
                lines.add(new Line(
                        names.get(figure),
                        difference.count(),
                        sumsA[figure] / difference.count(),
                        sumsB[figure] / difference.count(),
                        difference,
                        isBinary,
                        onlyA,
                        onlyB,
                        isBinary ? mcnemar(onlyA, onlyB) : Double.NaN));
            }
        }
        return lines;
    }

    /// Twice the probability of the rarer side, at most 1.
    static double mcnemar(long onlyA, long onlyB) {
        int discordant = Math.toIntExact(onlyA + onlyB);
        if (discordant == 0) {
            return 1;
        }
        // the generator would be one of random numbers, which nothing here draws
        BinomialDistribution coin = new BinomialDistribution(null, discordant, 0.5);
        return Math.min(1, 2 * coin.cumulativeProbability((int) Math.min(onlyA, onlyB)));
    }
}
