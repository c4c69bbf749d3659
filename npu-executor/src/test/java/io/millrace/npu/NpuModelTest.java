package io.millrace.npu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.ModelContract;
import io.millrace.engine.ModelContract.Result;
import io.millrace.engine.api.CacheRounding;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whole models on the software card against the reference ring, which is compared with other
/// implementations by the engine's own tests: logits of every position, and greedy answers. In FP32 they are
/// the CPU's. With rounded caches a value that float noise moves over the edge between two codes shows in
/// the logits, so there the median is held to the tolerance; the cheaper arithmetics are held to what their
/// operands' bits allow.
class NpuModelTest {
    private static final Path VECTORS = Path.of("..", "engine", "src", "test", "resources", "vectors");
    private static final Path BUNDLED = Path.of("..", "engine", "models", "synopsis-v4");

    @ParameterizedTest
    @CsvSource({
        "tiny-fp32, latest, OFF, 5e-5",
        "tiny-fp32, 8.1, OFF, 5e-5",
        "tiny-official-quant, latest, OFF, 1e-4",
        "tiny-qwen3moe, latest, OFF, 1e-4",
        "tiny-llama, 8.1, OFF, 1e-4"
    })
    void inFp32_logitsAndAnswersAreTheReferences(String model, String release, CacheRounding rounding, double most) {
        Result result = run(VECTORS.resolve(model), release, "f32", rounding, 200);
        assertThat(result.largest()).isLessThan(most);
        assertThat(result.sameArgmax()).isEqualTo(result.positions());
        assertThat(result.sameTokens()).isEqualTo(result.prompts());
    }

    /// Four layers of all kinds in the release format, 7.3 million parameters.
    @ParameterizedTest
    @CsvSource({"OFF", "ON"})
    void theBundledModel_saysTheSameGreedily(CacheRounding rounding) {
        Result result = run(BUNDLED, "latest", "f32", rounding, 60);
        assertThat(result.sameTokens()).isEqualTo(result.prompts());
        assertThat(result.median()).isLessThan(1e-3);
    }

    @ParameterizedTest
    @CsvSource({"f32, ON, 1e-4, 190", "bf16, OFF, 0.2, 150", "int8, OFF, 0.4, 120"})
    void roundedModels_stayClose(String arithmetic, CacheRounding rounding, double median, int sameArgmax) {
        Result result = run(VECTORS.resolve("tiny-official-quant"), "latest", arithmetic, rounding, 200);
        assertThat(result.median()).isLessThan(median);
        assertThat(result.sameArgmax()).isGreaterThanOrEqualTo(sameArgmax);
    }

    private static Result run(Path model, String release, String arithmetic, CacheRounding rounding, int tokens) {
        SoftwareCard card = SoftwareCard.get();
        String ring = "npu:" + card.folder(release) + ":" + arithmetic;
        Result result = ModelContract.run(model, ring, rounding, tokens, 16);
        System.getLogger("contract").log(System.Logger.Level.INFO, "{0} {1}: {2}", arithmetic, rounding, result);
        assertThat(result.failure()).isNull();
        assertThat(card.live()).isEmpty();
        return result;
    }
}
