package io.millrace.engine.kernel;

import java.util.Arrays;

/// Selection of the largest, ties to the lower index, by sorting all of them: what {@link TopKSelect} must
/// choose too.
final class TopK {
    private TopK() {}

    static int[] all(int count) {
        int[] places = new int[count];
        Arrays.setAll(places, i -> i);
        return places;
    }

    /// The places of the `k` largest of the first `count` scores, ascending.
    static int[] places(float[] scores, int count, int k) {
        if (k >= count) {
            return all(count);
        }
        long[] keys = new long[count];
        for (int i = 0; i < count; i++) {
            keys[i] = ((long) descending(scores[i]) << 32) | i;
        }
        Arrays.sort(keys);
        int[] places = new int[k];
        for (int i = 0; i < k; i++) {
            places[i] = (int) keys[i];
        }
        Arrays.sort(places);
        return places;
    }

    /// An integer that sorts before another if its float is larger; both zeros are equal.
    static int descending(float score) {
        int bits = Float.floatToIntBits(score + 0f);
        return bits >= 0 ? ~bits : bits & Integer.MAX_VALUE;
    }
}
