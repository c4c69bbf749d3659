package io.millrace.npu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NpuModelTest {
    private static final Path VECTORS = Path.of("..", "engine", "src", "test", "resources", "vectors");

    private static LocalEngine open(String model, String ring, CacheRounding rounding) {
        return LocalEngine.open(
                new EngineConfig(VECTORS.resolve(model), ring, 1, 64L << 20, 64, 8, rounding));
    }

    private static float[][] logits(String model, String ring, CacheRounding rounding, int[] tokens) {
        try (LocalEngine engine = open(model, ring, rounding)) {
            return engine.logits(tokens);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "tiny-fp32,latest,f32,OFF,5e-5",
        "tiny-fp32,8.1,f32,OFF,5e-5",
        "tiny-official-quant,latest,f32,OFF,1e-4",
        "tiny-official-quant,8.1,f32,ON,1e-1",
        "tiny-official-quant,latest,bf16,OFF,1",
        "tiny-official-quant,latest,int8,OFF,3"
    })
    void logits_areTheReferences(String model, String release, String arithmetic, CacheRounding rounding, double most) {
        SoftwareCard card = SoftwareCard.get();
        int[] tokens = new Random(1).ints(200, 0, 64).toArray();
        float[][] expected = logits(model, "reference", rounding, tokens);
        float[][] got = logits(model, "npu:" + card.folder(release) + ":" + arithmetic, rounding, tokens);
        double largest = 0;
        for (int i = 0; i < tokens.length; i++) {
            for (int v = 0; v < got[i].length; v++) {
                largest = Math.max(largest, Math.abs(got[i][v] - expected[i][v]));
            }
        }
        System.out.println(model + " " + release + " " + arithmetic + " " + rounding + ": " + largest);
        assertThat(largest).isLessThan(most);
        assertThat(card.live()).isEmpty();
    }
}
