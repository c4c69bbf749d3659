package io.millrace.engine.kernel;

import java.util.Arrays;

/// The fast twin of {@link TopK}. Confined to one worker; its scratch grows to the most
/// scores seen.
///
/// Few are kept in a sorted list as the scores pass by. Many are found by their smallest: four rounds, one
/// for every eight bits of a score's key, count keys by those bits and go on with the bits in which the k-th
/// lies.
final class TopKSelect {
    /// The longest list that is kept sorted.
    private static final int FEW = 32;

    private static final int DIGITS = 256;

    private final int[] counts = new int[DIGITS];
    private final long[] best = new long[FEW];
    private int[] keys = new int[0];

    /// The places of the `k` largest of the first `count` scores, ascending.
    int[] places(float[] scores, int count, int k) {
        if (k >= count) {
            return TopK.all(count);
        }
        return k <= FEW ? few(scores, count, k) : many(scores, count, k);
    }

    private int[] few(float[] scores, int count, int k) {
        int held = 0;
        for (int i = 0; i < count; i++) {
            long entry = ((long) TopK.descending(scores[i]) << 32) | i;
            if (held < k) {
                insert(entry, held++);
            } else if (entry < best[k - 1]) {
                insert(entry, k - 1);
            }
        }
        int[] places = new int[k];
        for (int i = 0; i < k; i++) {
            places[i] = (int) best[i];
        }
        Arrays.sort(places);
        return places;
    }

    /// Into the sorted list, whose entry at `last` is free.
    private void insert(long entry, int last) {
        int at = last;
        while (at > 0 && best[at - 1] > entry) {
            best[at] = best[at - 1];
            at--;
        }
        best[at] = entry;
    }

    private int[] many(float[] scores, int count, int k) {
        if (keys.length < count) {
            keys = new int[Math.max(count, 2 * keys.length)];
        }
        for (int i = 0; i < count; i++) {
            // unsigned order from here on
            keys[i] = TopK.descending(scores[i]) ^ Integer.MIN_VALUE;
        }
        int prefix = 0;
        int wanted = k;
        for (int shift = Integer.SIZE - 8; shift >= 0; shift -= 8) {
            count(count, prefix, shift);
            int digit = 0;
            while (counts[digit] < wanted) {
                wanted -= counts[digit++];
            }
            prefix |= digit << shift;
        }
        return collect(count, k, prefix, wanted);
    }

    /// Counts the keys that agree with the prefix above the next eight bits by those bits.
    private void count(int count, int prefix, int shift) {
        Arrays.fill(counts, 0);
        int above = shift == Integer.SIZE - 8 ? 0 : -1 << (shift + 8);
        for (int i = 0; i < count; i++) {
            if ((keys[i] & above) == prefix) {
                counts[keys[i] >>> shift & (DIGITS - 1)]++;
            }
        }
    }

    /// All places below the k-th key and the first `ties` equal to it.
    private int[] collect(int count, int k, int kth, int ties) {
        int[] places = new int[k];
        int filled = 0;
        int equal = 0;
        for (int i = 0; i < count; i++) {
            int order = Integer.compareUnsigned(keys[i], kth);
            if (order < 0 || (order == 0 && equal++ < ties)) {
                places[filled++] = i;
            }
        }
        return places;
    }
}
