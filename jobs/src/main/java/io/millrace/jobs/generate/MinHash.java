package io.millrace.jobs.generate;

import java.io.Serializable;

/// MinHash with locality-sensitive hashing by bands (Broder 1997; Leskovec, Rajaraman, Ullman, "Mining of
/// Massive Datasets", section 3.4). Two sets that agree in a share J of their elements agree in a minimum
/// with probability J, and in all minima of at least one band with probability 1 - (1 - J^rows)^bands.
/// The permutations are (a h + b) mod p with p = 2^61 - 1, their a and b drawn by SplitMix64 from the
/// seed.
///
/// @param bands how many groups of minima
/// @param rows minima in a group; there are bands x rows permutations
record MinHash(int bands, int rows, long seed) implements Serializable {
    private static final long PRIME = (1L << 61) - 1;
    /// What SplitMix64 goes on by.
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    /// A hash of each band's minima; none of an empty set.
    long[] bandKeys(long[] shingles) {
        if (shingles.length == 0) {
            return new long[0];
        }
        long[] keys = new long[bands];
        long state = seed;
        for (int band = 0; band < bands; band++) {
            long key = band;
            for (int row = 0; row < rows; row++) {
                long a = 1 + Long.remainderUnsigned(mix(state += GOLDEN), PRIME - 1);
                long b = Long.remainderUnsigned(mix(state += GOLDEN), PRIME);
                key = mix(key ^ minimum(shingles, a, b));
            }
            keys[band] = key;
        }
        return keys;
    }

    private static long minimum(long[] shingles, long a, long b) {
        long least = Long.MAX_VALUE;
        for (long shingle : shingles) {
            least = Math.min(least, permuted(shingle, a, b));
        }
        return least;
    }

    /// (a h + b) mod p, with h taken mod p first.
    static long permuted(long hash, long a, long b) {
        long h = Long.remainderUnsigned(hash, PRIME);
        // the product has 122 bits: its upper 61 and lower 61 are added, since 2^61 = 1 mod p
        long high = Math.multiplyHigh(a, h);
        long low = a * h;
        return Long.remainderUnsigned(((high << 3) | (low >>> 61)) + (low & PRIME) + b, PRIME);
    }

    /// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /// Probability that two sets that agree in that share meet in a band.
    double recall(double jaccard) {
        return 1 - Math.pow(1 - Math.pow(jaccard, rows), bands);
    }
}
