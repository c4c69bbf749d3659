package io.millrace.jobs.generate;

import io.millrace.udf.TextMetrics;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.codec.digest.MurmurHash3;

/// The set of a text's runs of n words, each as 64 bits of MurmurHash3; a text of fewer words is one run.
/// Words are those of {@link TextMetrics}.
final class Shingles {

    private Shingles() {}

    /// @return hashes, ascending, each once; none of a text without words
    static long[] of(String text, int n) {
        List<String> words = TextMetrics.words(text);
        if (words.isEmpty()) {
            return new long[0];
        }
        int runs = Math.max(1, words.size() - n + 1);
        long[] hashes = new long[runs];
        for (int start = 0; start < runs; start++) {
            String run = String.join(" ", words.subList(start, Math.min(words.size(), start + n)));
            hashes[start] = MurmurHash3.hash128x64(run.getBytes(StandardCharsets.UTF_8))[0];
        }
        return Arrays.stream(hashes).sorted().distinct().toArray();
    }

    /// Shared runs over all runs; 0 if there are none.
    static double jaccard(long[] a, long[] b) {
        int shared = 0;
        int inA = 0;
        int inB = 0;
        while (inA < a.length && inB < b.length) {
            if (a[inA] == b[inB]) {
                shared++;
                inA++;
                inB++;
            } else if (a[inA] < b[inB]) {
                inA++;
            } else {
                inB++;
            }
        }
        int all = a.length + b.length - shared;
        return all == 0 ? 0 : (double) shared / all;
    }

    /// As bytes, which travel through Spark as they are.
    static byte[] bytes(long[] hashes) {
        ByteBuffer bytes = ByteBuffer.allocate(hashes.length * Long.BYTES);
        bytes.asLongBuffer().put(hashes);
        return bytes.array();
    }

    static long[] ofBytes(byte[] bytes) {
        LongBuffer longs = ByteBuffer.wrap(bytes).asLongBuffer();
        long[] hashes = new long[longs.remaining()];
        longs.get(hashes);
        return hashes;
    }
}
