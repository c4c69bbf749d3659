package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.jobs.plan.Lengths.Bucket;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LengthsTest {

    @Test
    void allRows_areExact() {
        Lengths lengths = Lengths.of(4, new int[] {9, 1, 4, 2});
        assertThat(lengths.isExact()).isTrue();
        assertThat(lengths.mean()).isEqualTo(4);
        assertThat(lengths.meanError()).isZero();
        assertThat(lengths.quantile(0.5)).isEqualTo(2);
        assertThat(lengths.quantile(0.75)).isEqualTo(4);
        assertThat(lengths.quantile(1)).isEqualTo(9);
    }

    /// Of 2 and 6 the deviation is the root of 8; half of 4 rows were not seen.
    @Test
    void sample_hasAnError() {
        Lengths lengths = Lengths.of(4, new int[] {6, 2});
        assertThat(lengths.isExact()).isFalse();
        assertThat(lengths.meanError()).isCloseTo(1.96 * Math.sqrt(8.0 / 2 / 2), within(1e-12));
    }

    @Test
    void meanOfAll_liesWithinTheErrorOfNearlyAllSamples() {
        Random random = new Random(7);
        int[] all = IntStream.range(0, 5000).map(_ -> 20 + random.nextInt(300)).toArray();
        double mean = Arrays.stream(all).average().orElseThrow();
        int held = 0;
        for (int round = 0; round < 400; round++) {
            int[] some = random.ints(0, all.length)
                    .distinct()
                    .limit(200)
                    .map(at -> all[at])
                    .toArray();
            Lengths lengths = Lengths.of(all.length, some);
            held += Math.abs(lengths.mean() - mean) <= lengths.meanError() ? 1 : 0;
        }
        assertThat(held / 400.0).isBetween(0.92, 0.98);
    }

    @Test
    void histogram_doublesAndCountsEveryRowOnce() {
        assertThat(Lengths.of(9, new int[] {0, 1, 2, 3, 4, 5, 8, 9, 70}).histogram())
                .isEqualTo(List.of(
                        new Bucket(0, 0, 1),
                        new Bucket(1, 1, 1),
                        new Bucket(2, 2, 1),
                        new Bucket(3, 4, 2),
                        new Bucket(5, 8, 2),
                        new Bucket(9, 16, 1),
                        new Bucket(65, 128, 1)));
    }

    @Test
    void noRows() {
        Lengths lengths = Lengths.of(0, new int[0]);
        assertThat(lengths.mean()).isZero();
        assertThat(lengths.quantile(0.5)).isZero();
        assertThat(lengths.histogram()).isEmpty();
    }
}
