package io.millrace.engine.kernel;

import java.util.Arrays;

/// The fast twin of {@link TopK}. Confined to one worker.
///
/// Few are kept in a sorted list as the scores pass by. Many are kept in a list that is cut to the k
/// largest whenever it is full, and only scores that are larger than the least of those enter it after
/// that: of a long row most are looked at once. What is cut away is found by the smallest that stays:
/// four rounds, one for every eight bits of a score's key, count keys by those bits and go on with the
/// bits in which the k-th lies.
final class TopKSelect {
    /// The longest list that is kept sorted.
    private static final int FEW = 32;

    /// Scores that the other list holds for each that is wanted.
    private static final int ROOM = 4;

    private static final int DIGITS = 256;

    private final int[] counts = new int[DIGITS];
    private final long[] best = new long[FEW];
    private int[] keys = new int[0];
    private int[] held = new int[0];
    private int last;

    /// The places of the `k` largest of `count` scores from `at` on, ascending, the first being 0.
    int[] places(float[] scores, int at, int count, int k) {
        if (k >= count) {
            return TopK.all(count);
        }
        return k <= FEW ? few(scores, at, count, k) : many(scores, at, count, k);
    }

    private int[] few(float[] scores, int at, int count, int k) {
        int size = 0;
        for (int i = 0; i < count; i++) {
            long entry = ((long) TopK.descending(scores[at + i]) << 32) | i;
            if (size < k) {
                insert(entry, size++);
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

    private int[] many(float[] scores, int at, int count, int k) {
        int room = ROOM * k;
        if (keys.length < room) {
            keys = new int[room];
            held = new int[room];
        }
        int size = 0;
        // not a number until k are known: nothing is at most that
        float least = Float.NaN;
        for (int i = 0; i < count; i++) {
            float score = scores[at + i];
            if (!(score <= least)) {
                if (size == room) {
                    cut(size, k);
                    size = k;
                    least = scores[at + last];
                }
                // unsigned order from here on
                keys[size] = TopK.descending(score) ^ Integer.MIN_VALUE;
                held[size++] = i;
            }
        }
        cut(size, k);
        return Arrays.copyOf(held, k);
    }

    /// Leaves the `k` largest of those held, in order, and `last` the place of one of the smallest of them.
    private void cut(int size, int k) {
        int prefix = 0;
        int wanted = k;
        for (int shift = Integer.SIZE - 8; shift >= 0; shift -= 8) {
            count(size, prefix, shift);
            int digit = 0;
            while (counts[digit] < wanted) {
                wanted -= counts[digit++];
            }
            prefix |= digit << shift;
        }
        keep(size, prefix, wanted);
    }

    /// Counts the keys that agree with the prefix above the next eight bits by those bits.
    private void count(int size, int prefix, int shift) {
        Arrays.fill(counts, 0);
        int above = shift == Integer.SIZE - 8 ? 0 : -1 << (shift + 8);
        for (int i = 0; i < size; i++) {
            if ((keys[i] & above) == prefix) {
                counts[keys[i] >>> shift & (DIGITS - 1)]++;
            }
        }
    }

    /// All keys below the k-th and the first `ties` equal to it.
    private void keep(int size, int kth, int ties) {
        int kept = 0;
        int equal = 0;
        for (int i = 0; i < size; i++) {
            int order = Integer.compareUnsigned(keys[i], kth);
            if (order < 0 || (order == 0 && equal++ < ties)) {
                last = order == 0 ? held[i] : last;
                keys[kept] = keys[i];
                held[kept++] = held[i];
            }
        }
    }
}
