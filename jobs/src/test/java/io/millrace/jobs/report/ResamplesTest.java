package io.millrace.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ResamplesTest {

    @Test
    void interval_manyRows_isThatOfTheNormalDistribution() {
        SplittableRandom random = new SplittableRandom(7);
        Resamples resamples = new Resamples(1, 3);
        int rows = 4000;
        double sum = 0;
        double squares = 0;
        for (int row = 0; row < rows; row++) {
            double value = random.nextDouble() * 10;
            sum += value;
            squares += value * value;
            resamples.add(random.nextLong(), value);
        }
        double mean = sum / rows;
        double half = 1.96 * Math.sqrt((squares / rows - mean * mean) / rows);

        Resamples.Interval interval = resamples.interval(0);

        assertThat(interval.mean()).isCloseTo(mean, within(1e-9));
        assertThat(interval.low()).isCloseTo(mean - half, within(0.2 * half));
        assertThat(interval.high()).isCloseTo(mean + half, within(0.2 * half));
    }

    @Test
    void interval_partsInAnotherOrder_isTheSame() {
        Resamples whole = new Resamples(2, 1);
        Resamples first = new Resamples(2, 1);
        Resamples second = new Resamples(2, 1);
        for (int row = 0; row < 50; row++) {
            whole.add(row, row, row % 3 == 0 ? Double.NaN : 2 * row);
            (row % 2 == 0 ? first : second).add(row, row, row % 3 == 0 ? Double.NaN : 2 * row);
        }
        second.add(first);

        assertThat(second.interval(0)).isEqualTo(whole.interval(0));
        assertThat(second.interval(1)).isEqualTo(whole.interval(1));
        assertThat(whole.interval(1).count()).isEqualTo(33);
    }

    @Test
    void interval_noRow_isNotANumber() {
        assertThat(new Resamples(1, 0).interval(0).mean()).isNaN();
    }

    /// Values by R: `binom.test(b, b + c)$p.value`.
    @Test
    void mcnemar_isTheExactTest() {
        assertThat(Paired.mcnemar(0, 0)).isEqualTo(1);
        assertThat(Paired.mcnemar(1, 9)).isCloseTo(0.021484375, within(1e-12));
        assertThat(Paired.mcnemar(9, 1)).isCloseTo(0.021484375, within(1e-12));
        assertThat(Paired.mcnemar(5, 5)).isEqualTo(1);
        assertThat(Paired.mcnemar(0, 20)).isCloseTo(2 * Math.pow(0.5, 20), within(1e-15));
    }

    @Test
    void paired_binaryAndOtherFigures() {
        Paired paired = new Paired(List.of("right", "length", "absent"), 0);
        for (int pair = 0; pair < 100; pair++) {
            double right = pair < 60 ? 1 : 0;
            double rightToo = pair < 60 && pair >= 10 || pair >= 95 ? 1 : 0;
            paired.add(pair, new double[] {right, 10 + pair, Double.NaN}, new double[] {rightToo, 12 + pair, 1});
        }

        List<Paired.Line> lines = paired.lines();

        assertThat(lines).extracting(Paired.Line::name).containsExactly("right", "length");
        Paired.Line binary = lines.getFirst();
        assertThat(binary.isBinary()).isTrue();
        assertThat(binary.onlyA()).isEqualTo(10);
        assertThat(binary.onlyB()).isEqualTo(5);
        assertThat(binary.a()).isCloseTo(0.6, within(1e-12));
        assertThat(binary.difference().mean()).isCloseTo(-0.05, within(1e-12));
        assertThat(binary.p()).isCloseTo(0.3017578125, within(1e-9));
        assertThat(binary.isClear()).isFalse();
        Paired.Line other = lines.getLast();
        assertThat(other.isBinary()).isFalse();
        assertThat(other.p()).isNaN();
        // every pair differs by 2, so every sample of them does
        assertThat(other.difference().low()).isCloseTo(2, within(1e-9));
        assertThat(other.difference().high()).isCloseTo(2, within(1e-9));
        assertThat(other.isClear()).isTrue();
    }
}
