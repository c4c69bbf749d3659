package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.model.Weights;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CheckpointTest {
    private static final Path VECTORS = Path.of("src/test/resources/vectors");

    @Test
    void bind_tinyFp32() {
        try (Checkpoint checkpoint = Checkpoint.open(VECTORS.resolve("tiny-fp32"))) {
            Weights weights = WeightBinder.bind(checkpoint, checkpoint.config());
            assertThat(weights.layers()).hasSize(5);
            assertThat(weights.mtp()).isEmpty();
        }
    }

    @Test
    void bind_tinyOfficialQuant() {
        try (Checkpoint checkpoint = Checkpoint.open(VECTORS.resolve("tiny-official-quant"))) {
            Weights weights = WeightBinder.bind(checkpoint, checkpoint.config());
            assertThat(weights.layers()).hasSize(4);
            assertThat(weights.mtp()).hasSize(1);
        }
    }
}
