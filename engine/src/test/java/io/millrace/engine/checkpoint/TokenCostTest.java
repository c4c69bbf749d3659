package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCostTest {
    @TempDir
    private Path dir;

    private TokenCost cost(RandomCheckpoint model) {
        try (Checkpoint checkpoint = Checkpoint.open(model.write(dir))) {
            assertThat(checkpoint.config().mtpLayers()).hasSize(model.mtpLayers);
            return TokenCost.of(checkpoint);
        }
    }

    /// Two ways of counting: stored bytes by tensor, and parameters by the configuration.
    @Test
    void bytesPerStep_ofOneToken_isEveryActiveParameter() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.mtpLayers = 1;
        model.numHashLayers = 2;
        TokenCost cost = cost(model);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            long active = ParameterCount.of(checkpoint.config()).active();
            assertThat(cost.bytesPerStep(1)).isCloseTo(active * 4.0, within(1.0));
            assertThat(cost.bodyOperations() + cost.headOperations()).isEqualTo(2 * active);
            assertThat(cost.headOperations()).isEqualTo(2L * model.vocabSize * model.hiddenSize);
        }
    }

    @Test
    void bytesPerStep_ofManyTokens_approachesAllExperts() {
        TokenCost cost = cost(new RandomCheckpoint());
        assertThat(cost.bytesPerStep(2)).isGreaterThan(cost.bytesPerStep(1));
        assertThat(cost.bytesPerStep(1000)).isCloseTo(cost.denseBytes() + cost.expertBytes(), within(1.0));
    }

    @Test
    void of_releaseFormat_countsScales() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.format = RandomCheckpoint.Format.RELEASE;
        model.hiddenSize = 64;
        model.moeIntermediateSize = 32;
        TokenCost cost = cost(model);
        // four bits a weight, and a byte for each block of 32
        long weights = 3L * model.hiddenSize * model.moeIntermediateSize;
        assertThat(cost.expertBytes())
                .isEqualTo(model.compressRatios.length * model.nRoutedExperts * (weights / 2 + weights / 32));
    }
}
