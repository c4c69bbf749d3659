package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class MinHashTest {

    @Test
    void bandKeys_sameSet_sameKeys_otherSeed_others() {
        long[] set = LongStream.range(0, 100)
                .map(value -> value * 0x9E3779B97F4A7C15L)
                .sorted()
                .toArray();

        long[] keys = new MinHash(14, 8, 1).bandKeys(set);

        assertThat(keys).hasSize(14).isEqualTo(new MinHash(14, 8, 1).bandKeys(set.clone()));
        assertThat(Arrays.stream(keys).distinct()).hasSize(14);
        assertThat(new MinHash(14, 8, 2).bandKeys(set)).doesNotContain(keys);
        assertThat(new MinHash(14, 8, 1).bandKeys(new long[0])).isEmpty();
    }

    @Test
    void bandKeys_agree_asOftenAsTheSetsDo() {
        SplittableRandom random = new SplittableRandom(9);
        int trials = 300;
        int bands = 64;
        int agreed = 0;
        // 60 of 100 elements of the union are shared
        for (int trial = 0; trial < trials; trial++) {
            long[] union = random.longs(100).toArray();
            long[] a = Arrays.stream(union, 0, 80).sorted().toArray();
            long[] b = Arrays.stream(union, 20, 100).sorted().toArray();
            assertThat(Shingles.jaccard(a, b)).isEqualTo(0.6);
            long[] first = new MinHash(bands, 1, trial).bandKeys(a);
            long[] second = new MinHash(bands, 1, trial).bandKeys(b);
            for (int band = 0; band < bands; band++) {
                agreed += first[band] == second[band] ? 1 : 0;
            }
        }
        // five standard deviations of independent trials
        double deviation = Math.sqrt(0.6 * 0.4 / (trials * bands));
        assertThat((double) agreed / (trials * bands)).isCloseTo(0.6, within(5 * deviation));
    }

    @Test
    void minimum_isThatOfThePermutations() {
        // the first permutation of seed 1, in arithmetic without bounds
        BigInteger prime = BigInteger.TWO.pow(61).subtract(BigInteger.ONE);
        long[] set = {-5, 3, 7_000_000_000_000_000_000L, Long.MIN_VALUE};
        for (long a : new long[] {1, 2, 0x0123456789ABCDEFL, (1L << 61) - 2}) {
            for (long b : new long[] {0, 1, (1L << 61) - 2}) {
                for (long hash : set) {
                    BigInteger h = new BigInteger(Long.toUnsignedString(hash)).mod(prime);
                    long expected = h.multiply(BigInteger.valueOf(a))
                            .add(BigInteger.valueOf(b))
                            .mod(prime)
                            .longValueExact();
                    assertThat(MinHash.permuted(hash, a, b)).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void shingles_areRunsOfWords_whateverCaseAndPunctuation() {
        assertThat(Shingles.of("One two, three; FOUR five six", 5))
                .hasSize(2)
                .isEqualTo(Shingles.of("one two three four five six!", 5));
        assertThat(Shingles.of("too short", 5)).hasSize(1).isEqualTo(Shingles.of("Too short.", 5));
        assertThat(Shingles.of("…", 5)).isEmpty();
        assertThat(Shingles.of("a a a a a a a", 5)).hasSize(1);
        assertThat(Shingles.ofBytes(Shingles.bytes(new long[] {-1, 2}))).containsExactly(-1, 2);
        assertThat(Shingles.jaccard(new long[0], new long[0])).isZero();
    }
}
