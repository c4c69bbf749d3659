package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.GgufModels;
import io.millrace.engine.checkpoint.GgufWriter;
import io.millrace.engine.checkpoint.RandomCheckpoint;
import io.millrace.engine.checkpoint.TestVectors;
import io.millrace.engine.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Models in GGUF through the whole engine: the same logits, to the bit, as from the same values in another
/// file.
class GgufEngineTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final long PLENTY = 1L << 30;
    private static final int TOKENS = 150;

    @TempDir
    Path dir;

    /// Written by the gguf package under llama.cpp's names; cache rounding as each file asks for it.
    @ParameterizedTest
    @ValueSource(strings = {"reference", "vector"})
    void logits_ofAFileByTheGgufPackageAreThoseOfSafetensors(String ring) {
        float[][] expected = logits(TestVectors.path("tiny-fp32"), ring, 64);
        assertThat(logits(TestVectors.path("gguf/tiny-fp32.gguf"), ring, 64)).isDeepEqualTo(expected);
        assertThat(logits(TestVectors.path("gguf"), ring, 64)).isDeepEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"reference, Q4_K", "vector, Q8_0", "vector, Q4_0", "vector, Q4_K", "vector, Q6_K", "vector, MXFP4"})
    void logits_ofBlocksAreThoseOfTheirValues(String ring, DType format) {
        checkBlocks(ring, format);
    }

    @Test
    void logits_ofMixedFormatsAreThoseOfTheirValues() {
        checkBlocks("vector", DType.Q8_0, DType.Q4_0, DType.Q4_K, DType.Q6_K, DType.MXFP4);
    }

    private void checkBlocks(String ring, DType... formats) {
        GgufWriter blocks = wideModel();
        GgufModels.putBlocks(blocks, new Random(SEED), formats);
        Path quantized = blocks.write(dir.resolve("blocks.gguf"));
        Path plain = GgufModels.decoded(blocks).write(dir.resolve("plain.gguf"));
        assertThat(quantized).satisfies(file -> assertThat(Files.size(file)).isLessThan(Files.size(plain) / 2));
        float[][] expected = logits(plain, ring, TOKENS);
        assertThat(expected[TOKENS - 1]).satisfies(row -> {
            for (float logit : row) {
                assertThat(logit).isFinite();
            }
        });
        assertThat(logits(quantized, ring, TOKENS)).isDeepEqualTo(expected);
        if (ring.equals("vector")) {
            assertThat(logits(quantized, ring, 13)).isDeepEqualTo(expected);
        }
    }

    /// All rows of the large matrices are multiples of 256.
    private GgufWriter wideModel() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.seed = SEED;
        model.hiddenSize = 256;
        model.moeIntermediateSize = 256;
        model.qLoraRank = 256;
        model.headDim = 128;
        model.oLoraRank = 128;
        model.nRoutedExperts = 4;
        try (Checkpoint checkpoint = Checkpoint.open(model.write(dir.resolve("wide")))) {
            return GgufModels.of(checkpoint);
        }
    }

    private static float[][] logits(Path model, String ring, int stepTokens) {
        EngineConfig config = new EngineConfig(model, ring, 2, PLENTY, stepTokens, 8, CacheRounding.AUTO);
        try (LocalEngine engine = LocalEngine.open(config)) {
            return engine.logits(new Random(SEED).ints(TOKENS, 0, 64).toArray());
        }
    }

    // ---- the tokenizer of the file

    @Test
    void tokenizer_isThatOfTheFile() throws IOException {
        GgufWriter model = tinyModel();
        GgufModels.putTokenizer(model);
        try (LocalEngine engine = LocalEngine.open(EngineConfig.of(model.write(dir.resolve("m.gguf"))))) {
            int[] ids = engine.tokenizer().encodeText("ab ab");
            assertThat(ids).containsExactly(256, 257);
            assertThat(engine.tokenizer().decode(ids)).isEqualTo("ab ab");
        }
    }

    @Test
    void tokenizer_ofAFileWithoutOne() throws IOException {
        try (LocalEngine engine = LocalEngine.open(EngineConfig.of(TestVectors.path("gguf")))) {
            assertThatThrownBy(engine::tokenizer)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("expected a tokenizer");
        }
    }

    @Test
    void open_tokenizerOfAnotherKind() throws IOException {
        GgufWriter model = tinyModel();
        GgufModels.putTokenizer(model);
        model.metadata.put("tokenizer.ggml.model", "llama");
        checkRefused(model, "m.gguf: tokenizer.ggml.model: expected gpt2, got \"llama\"");
        model.metadata.put("tokenizer.ggml.model", "gpt2");
        model.metadata.put("tokenizer.ggml.pre", "tekken");
        checkRefused(model, "m.gguf: tokenizer.ggml.pre: expected deepseek-v3, ", "got \"tekken\"");
        model.metadata.remove("tokenizer.ggml.pre");
        checkRefused(model, "m.gguf: tokenizer.ggml.pre: expected a text, got nothing");
    }

    private void checkRefused(GgufWriter model, String... parts) {
        EngineConfig config = EngineConfig.of(model.write(dir.resolve("m.gguf")));
        assertThatThrownBy(() -> LocalEngine.open(config).close())
                .isInstanceOf(EngineException.class)
                .hasMessageContainingAll(parts);
    }

    private static GgufWriter tinyModel() {
        try (Checkpoint checkpoint = Checkpoint.open(TestVectors.path("tiny-fp32"))) {
            return GgufModels.of(checkpoint);
        }
    }
}
