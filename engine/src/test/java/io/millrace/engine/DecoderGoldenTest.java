package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.ParameterCount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Qwen3 with and without experts and Llama: small random checkpoints of Hugging Face transformers, with its
/// logits in double precision.
class DecoderGoldenTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final Path VECTORS = Path.of("src/test/resources/vectors");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] MODELS = {"tiny-qwen3moe", "tiny-qwen3", "tiny-llama"};

    @TempDir
    Path folder;

    static Stream<Arguments> cases() throws IOException {
        List<Arguments> cases = new ArrayList<>();
        for (String model : MODELS) {
            for (JsonNode one : JSON.readTree(
                    VECTORS.resolve(model).resolve("expected.json").toFile())) {
                cases.add(Arguments.of(model, one.get("config").toString(), one));
            }
        }
        return cases.stream();
    }

    /// The checkpoint with some keys of its configuration replaced.
    private Path changed(String model, JsonNode keys) throws IOException {
        Path dir = Files.createDirectories(folder.resolve("changed"));
        ObjectNode config = (ObjectNode)
                JSON.readTree(VECTORS.resolve(model).resolve("config.json").toFile());
        config.setAll((ObjectNode) keys);
        JSON.writeValue(dir.resolve("config.json").toFile(), config);
        Files.copy(VECTORS.resolve(model).resolve("model.safetensors"), dir.resolve("model.safetensors"));
        return dir;
    }

    private static EngineConfig config(Path dir, String ring, int threads, int stepTokens, int maxRunning) {
        return new EngineConfig(dir, ring, threads, 1L << 28, stepTokens, maxRunning, CacheRounding.AUTO);
    }

    private static float[][] logits(Path dir, String ring, int stepTokens, int[] tokens) {
        try (LocalEngine engine = LocalEngine.open(config(dir, ring, 2, stepTokens, 8))) {
            return engine.logits(tokens);
        }
    }

    private static int[] tokens(JsonNode golden) {
        int[] tokens = new int[golden.get("tokens").size()];
        Arrays.setAll(tokens, i -> golden.get("tokens").get(i).asInt());
        return tokens;
    }

    private static void assertClose(float[][] got, JsonNode expected, double tolerance) {
        assertThat(got).hasNumberOfRows(expected.size());
        for (int i = 0; i < got.length; i++) {
            for (int v = 0; v < got[i].length; v++) {
                assertThat((double) got[i][v])
                        .as("position %d, token %d", i, v)
                        .isCloseTo(expected.get(i).get(v).asDouble(), within(tolerance));
            }
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void logits_ofTransformers(String model, String keys, JsonNode golden) throws IOException {
        Path dir = changed(model, golden.get("config"));
        // single precision of the logits themselves, which are below 5
        assertClose(logits(dir, "reference", 64, tokens(golden)), golden.get("logits"), 1e-6);
        assertClose(logits(dir, "vector", 64, tokens(golden)), golden.get("logits"), 2e-5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-qwen3moe", "tiny-qwen3", "tiny-llama"})
    void logits_theSameBitsInAnyChunks(String model) {
        int[] tokens = new Random(SEED).ints(150, 0, 67).toArray();
        float[][] whole = logits(VECTORS.resolve(model), "vector", 150, tokens);
        for (int stepTokens : new int[] {1, 7, 64}) {
            assertThat(logits(VECTORS.resolve(model), "vector", stepTokens, tokens))
                    .isDeepEqualTo(whole);
        }
    }

    private static Map<String, TokenIds> run(EngineConfig config, List<GenerationRequest> requests) {
        Map<String, TokenIds> tokens = new HashMap<>();
        try (LocalEngine engine = LocalEngine.open(config)) {
            List<CompletableFuture<GenerationResult>> futures =
                    requests.stream().map(engine::submit).toList();
            for (CompletableFuture<GenerationResult> future : futures) {
                Completed completed = (Completed) future.join();
                tokens.put(completed.requestId(), completed.tokens());
            }
        }
        return tokens;
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-qwen3moe", "tiny-qwen3", "tiny-llama"})
    void submit_tokensDoNotDependOnBatchThreadsChunksOrOrder(String model) {
        Random random = new Random(SEED);
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            int[] prompt = random.ints(1 + random.nextInt(100), 0, 67).toArray();
            SamplingParams sampling =
                    new SamplingParams(i % 3 == 0 ? 0 : 0.8, 1, 0, 0, 1 + random.nextInt(20), List.of(), i, true);
            requests.add(new GenerationRequest("row-" + i, TokenIds.of(prompt), sampling));
        }
        Path dir = VECTORS.resolve(model);
        Map<String, TokenIds> alone = run(config(dir, "vector", 1, 512, 1), requests);
        Collections.shuffle(requests, new Random(SEED));
        assertThat(run(config(dir, "vector", 3, 512, 64), requests)).isEqualTo(alone);
        assertThat(run(config(dir, "vector", 2, 7, 5), requests)).isEqualTo(alone);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void submit_greedyGoesOnWithTheLargestLogit(String model, String keys, JsonNode golden) throws IOException {
        int[] prompt = tokens(golden);
        try (LocalEngine engine = LocalEngine.open(config(changed(model, golden.get("config")), "auto", 2, 16, 8))) {
            SamplingParams greedy = new SamplingParams(0, 1, 0, 0, 12, List.of(), 0, true);
            Completed completed = (Completed) engine.submit(new GenerationRequest("a", TokenIds.of(prompt), greedy))
                    .join();
            int[] all = Arrays.copyOf(prompt, prompt.length + 12);
            System.arraycopy(completed.tokens().toArray(), 0, all, prompt.length, 12);
            float[][] logits = engine.logits(all);
            JsonNode last = golden.get("logits").get(prompt.length - 1);
            for (int v = 0; v < last.size(); v++) {
                assertThat(last.get(all[prompt.length]).asDouble())
                        .isGreaterThanOrEqualTo(last.get(v).asDouble());
            }
            for (int i = 0; i < 12; i++) {
                for (float logit : logits[prompt.length - 1 + i]) {
                    assertThat(logits[prompt.length - 1 + i][all[prompt.length + i]])
                            .isGreaterThanOrEqualTo(logit);
                }
            }
        }
    }

    /// Every parameter is a float of the file, the tied head not stored twice.
    @ParameterizedTest
    @ValueSource(strings = {"tiny-qwen3moe", "tiny-qwen3", "tiny-llama"})
    void parameterCount_isWhatTheFileHolds(String model) {
        try (Checkpoint checkpoint = Checkpoint.open(VECTORS.resolve(model))) {
            long bytes = checkpoint.bytesByDtype().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            assertThat(ParameterCount.of(checkpoint.model()).total() * Float.BYTES)
                    .isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-qwen3moe", "tiny-llama"})
    void encodeChat_otherArchitecturesSaySo(String model) {
        try (LocalEngine engine = LocalEngine.open(config(VECTORS.resolve(model), "auto", 1, 8, 8))) {
            assertThatThrownBy(() -> engine.encodeChat(
                            ChatMessages.parse("[{\"role\":\"user\",\"content\":\"Hi\"}]"), ThinkingMode.CHAT))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("chat encoding: expected a deepseek_v4 model, got ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-qwen3", "tiny-llama"})
    void open_cacheRoundingOfAModelNotTrainedWithIt(String model) {
        EngineConfig rounded = new EngineConfig(VECTORS.resolve(model), "auto", 1, 1L << 20, 8, 8, CacheRounding.ON);
        assertThatThrownBy(() -> LocalEngine.open(rounded))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("cache rounding: expected AUTO or OFF for");
    }
}
