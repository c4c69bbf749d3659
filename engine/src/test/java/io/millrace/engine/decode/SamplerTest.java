package io.millrace.engine.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.api.SamplingParams;
import java.util.List;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final float[] LOGITS = {
        (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.2), (float) Math.log(0.3)
    };

    private static SamplingParams params(double temperature, double topP, int topK, double minP, long seed) {
        return new SamplingParams(temperature, topP, topK, minP, 1, List.of(), seed, false);
    }

    /// How often each token is chosen over many positions.
    private static double[] shares(SamplingParams params) {
        int draws = 20_000;
        double[] shares = new double[LOGITS.length];
        for (int position = 0; position < draws; position++) {
            shares[Sampler.choose(LOGITS, params, position)] += 1.0 / draws;
        }
        return shares;
    }

    @Test
    void choose_greedyTakesTheLargestTiesToTheLowerId() {
        assertThat(Sampler.choose(new float[] {1, 3, 3, 2}, params(0, 1, 0, 0, 7), 0))
                .isEqualTo(1);
    }

    @Test
    void choose_sharesFollowTheProbabilities() {
        assertThat(shares(params(1, 1, 0, 0, 1))).containsExactly(new double[] {0.1, 0.4, 0.2, 0.3}, within(0.015));
    }

    @Test
    void choose_temperatureSharpens() {
        // squared probabilities: 1, 16, 4, 9 of 30
        assertThat(shares(params(0.5, 1, 0, 0, 2)))
                .containsExactly(new double[] {1 / 30.0, 16 / 30.0, 4 / 30.0, 9 / 30.0}, within(0.015));
    }

    @Test
    void choose_topKKeepsTheLikeliest() {
        assertThat(shares(params(1, 1, 2, 0, 3))).containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.015));
    }

    @Test
    void choose_topPKeepsTheSmallestSetThatReachesIt() {
        assertThat(shares(params(1, 0.69, 0, 0, 4)))
                .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.015));
        assertThat(shares(params(1, 0.71, 0, 0, 5)))
                .containsExactly(new double[] {0, 4 / 9.0, 2 / 9.0, 3 / 9.0}, within(0.015));
    }

    @Test
    void choose_minPDropsTheUnlikely() {
        assertThat(shares(params(1, 1, 0, 0.6, 6)))
                .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.015));
    }

    @Test
    void choose_dependsOnSeedAndPositionAlone() {
        for (int position = 0; position < 50; position++) {
            assertThat(Sampler.choose(LOGITS, params(1, 1, 0, 0, 9), position))
                    .isEqualTo(Sampler.choose(LOGITS, params(1, 1, 0, 0, 9), position));
        }
        assertThat(shares(params(1, 1, 0, 0, 9))).isNotEqualTo(shares(params(1, 1, 0, 0, 10)));
    }

    @Test
    void uniform_streamsOfNeighbouringSeedsAreUnrelated() {
        int draws = 10_000;
        double sum = 0;
        double product = 0;
        for (int i = 0; i < draws; i++) {
            double a = CounterRandom.uniform(1, i) - 0.5;
            double b = CounterRandom.uniform(2, i) - 0.5;
            sum += a;
            product += a * b;
        }
        assertThat(sum / draws).isCloseTo(0, within(0.01));
        assertThat(12 * product / draws).isCloseTo(0, within(0.04));
    }
}
