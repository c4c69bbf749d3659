package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.checkpoint.RandomCheckpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The running batch on small random models.
class LocalEngineTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final long PLENTY = 1L << 30;

    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void writeModel() {
        RandomCheckpoint checkpoint = new RandomCheckpoint();
        checkpoint.seed = SEED;
        checkpoint.compressRatios = new int[] {0, 4, 128, 4};
        model = checkpoint.write(folder.resolve("model"));
    }

    private static EngineConfig config(int threads, int stepTokens, int maxRunning, long budget) {
        return new EngineConfig(model, "vector", threads, budget, stepTokens, maxRunning, CacheRounding.AUTO);
    }

    private static List<GenerationRequest> requests(int count) {
        Random random = new Random(SEED);
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(1 + random.nextInt(150), 0, 64).toArray();
            double temperature = i % 3 == 0 ? 0 : 0.8;
            double topP = i % 3 == 2 ? 0.9 : 1;
            int topK = i % 3 == 2 ? 20 : 0;
            requests.add(new GenerationRequest(
                    "row-" + i,
                    TokenIds.of(prompt),
                    new SamplingParams(temperature, topP, topK, 0, 1 + random.nextInt(20), List.of(), i, i % 2 == 0)));
        }
        return requests;
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
            assertThat(engine.stats().completed()).isEqualTo(requests.size());
        }
        return tokens;
    }

    @Test
    void submit_tokensDoNotDependOnBatchThreadsChunksOrOrder() {
        List<GenerationRequest> requests = requests(40);
        Map<String, TokenIds> alone = run(config(1, 512, 1, PLENTY), requests);
        List<GenerationRequest> shuffled = new ArrayList<>(requests);
        Collections.shuffle(shuffled, new Random(SEED));
        assertThat(run(config(3, 512, 64, PLENTY), requests)).isEqualTo(alone);
        assertThat(run(config(2, 7, 5, PLENTY), shuffled)).isEqualTo(alone);
        assertThat(run(config(1, 64, 33, PLENTY), shuffled)).isEqualTo(alone);
    }

    @Test
    void submit_greedyTokensAreTheArgMaxOfTheLogits() {
        try (LocalEngine engine = LocalEngine.open(config(1, 32, 4, PLENTY))) {
            int[] prompt = new Random(SEED).ints(40, 0, 64).toArray();
            SamplingParams greedy = new SamplingParams(0, 1, 0, 0, 12, List.of(), 0, true);
            Completed completed = (Completed) engine.submit(new GenerationRequest("a", TokenIds.of(prompt), greedy))
                    .join();
            int[] all = IntStream.concat(
                            Arrays.stream(prompt),
                            Arrays.stream(completed.tokens().toArray()))
                    .toArray();
            float[][] logits = engine.logits(all);
            double logprobs = 0;
            for (int i = 0; i < 12; i++) {
                float[] row = logits[prompt.length - 1 + i];
                int token = completed.tokens().get(i);
                double sum = 0;
                for (float logit : row) {
                    assertThat(row[token]).isGreaterThanOrEqualTo(logit);
                    sum += Math.exp(logit);
                }
                logprobs += row[token] - Math.log(sum);
            }
            assertThat(completed.meanLogprob()).isCloseTo(logprobs / 12, within(1e-5));
            assertThat(completed.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(completed.usage().promptTokens()).isEqualTo(40);
            assertThat(completed.usage().completionTokens()).isEqualTo(12);
        }
    }

    @Test
    void submit_aRequestThatWouldExceedTheBudgetWaitsAndThenRuns() {
        List<GenerationRequest> requests = requests(12);
        long largest;
        try (LocalEngine engine = LocalEngine.open(config(1, 64, 8, PLENTY))) {
            largest = requests.stream()
                    .mapToLong(r ->
                            engine.cacheBytes(r.prompt().size() + r.sampling().maxTokens()))
                    .max()
                    .orElseThrow();
        }
        assertThat(run(config(1, 64, 8, largest), requests)).hasSize(12);
    }

    @Test
    void submit_badRequestsFailAloneAndSayWhy() {
        try (LocalEngine engine = LocalEngine.open(config(1, 64, 8, 200_000))) {
            assertFailed(engine, new int[0], 5, ErrorCode.INVALID_REQUEST, "at least one token");
            assertFailed(engine, new int[] {3, 64}, 5, ErrorCode.INVALID_REQUEST, "got 64 at position 1");
            assertFailed(engine, new int[] {-1}, 5, ErrorCode.INVALID_REQUEST, "got -1 at position 0");
            assertFailed(engine, new int[] {1}, 4096, ErrorCode.CONTEXT_EXCEEDED, "got 4097");
            assertFailed(engine, new int[] {1}, 4000, ErrorCode.CACHE_BUDGET_EXCEEDED, "at most 200000 bytes");
            GenerationResult good = engine.submit(
                            new GenerationRequest("good", TokenIds.of(1, 2), SamplingParams.greedy(3)))
                    .join();
            assertThat(good).isInstanceOf(Completed.class);
        }
    }

    private static void assertFailed(LocalEngine engine, int[] prompt, int maxTokens, ErrorCode code, String message) {
        GenerationResult result = engine.submit(
                        new GenerationRequest("bad", TokenIds.of(prompt), SamplingParams.greedy(maxTokens)))
                .join();
        assertThat(result).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(code);
            assertThat(failed.message()).contains(message);
        });
    }

    @Test
    void close_completesWhatIsUnderWay() {
        LocalEngine engine = LocalEngine.open(config(2, 8, 2, PLENTY));
        List<CompletableFuture<GenerationResult>> futures =
                requests(30).stream().map(engine::submit).toList();
        engine.close();
        engine.close();
        for (CompletableFuture<GenerationResult> future : futures) {
            assertThat(future).isDone();
            if (future.join() instanceof Failed failed) {
                assertThat(failed.code()).isEqualTo(ErrorCode.ENGINE_CLOSED);
            }
        }
        assertThat(engine.submit(new GenerationRequest("late", TokenIds.of(1), SamplingParams.greedy(1)))
                        .join())
                .isInstanceOfSatisfying(
                        Failed.class, late -> assertThat(late.code()).isEqualTo(ErrorCode.ENGINE_CLOSED));
    }

    /// Dimensions and layer mixes unlike the recorded checkpoints'.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void logits_otherShapesAgreeAcrossRingsAndChunks(int hcMult) {
        RandomCheckpoint odd = new RandomCheckpoint();
        odd.seed = SEED + hcMult;
        odd.hcMult = hcMult;
        odd.hiddenSize = 40;
        odd.vocabSize = 77;
        odd.numAttentionHeads = 6;
        odd.headDim = 20;
        odd.qkRopeHeadDim = 6;
        odd.qLoraRank = 12;
        odd.oGroups = 3;
        odd.oLoraRank = 5;
        odd.slidingWindow = 9;
        odd.compressRatios = new int[] {8, 4, 0, 16, 4};
        odd.indexNHeads = 3;
        odd.indexHeadDim = 12;
        odd.indexTopk = 3;
        odd.nRoutedExperts = 7;
        odd.numExpertsPerTok = 3;
        odd.nSharedExperts = hcMult == 2 ? 0 : 1;
        odd.moeIntermediateSize = 11;
        odd.hcSinkhornIters = 3;
        odd.numHashLayers = 2;
        assertRingsAgree(odd.write(folder.resolve("odd-" + hcMult)), 77);
    }

    @ParameterizedTest
    @EnumSource(RandomCheckpoint.Format.class)
    void logits_everyFormatAgreesAcrossRings(RandomCheckpoint.Format format) {
        RandomCheckpoint stored = new RandomCheckpoint();
        stored.seed = SEED;
        stored.format = format;
        stored.hiddenSize = 160;
        stored.moeIntermediateSize = 96;
        stored.qLoraRank = 64;
        stored.oLoraRank = 32;
        assertRingsAgree(stored.write(folder.resolve("format-" + format)), 64);
    }

    private static void assertRingsAgree(Path dir, int vocab) {
        int[] tokens = new Random(SEED).ints(150, 0, vocab).toArray();
        float[][] truth = logits(dir, "reference", 150, tokens);
        for (int stepTokens : new int[] {1, 13, 150}) {
            float[][] got = logits(dir, "vector", stepTokens, tokens);
            for (int i = 0; i < tokens.length; i++) {
                for (int v = 0; v < vocab; v++) {
                    // float chains against double ones over five layers
                    assertThat(got[i][v])
                            .as("position %d, token %d", i, v)
                            .isCloseTo(truth[i][v], within(2e-4f * (1 + Math.abs(truth[i][v]))));
                }
            }
        }
    }

    private static float[][] logits(Path dir, String ring, int stepTokens, int[] tokens) {
        EngineConfig config = new EngineConfig(dir, ring, 2, PLENTY, stepTokens, 8, CacheRounding.OFF);
        try (LocalEngine engine = LocalEngine.open(config)) {
            return engine.logits(tokens);
        }
    }

    @Test
    void open_aFolderThatIsNoModel() {
        EngineConfig none = EngineConfig.of(folder.resolve("absent"));
        assertThatThrownBy(() -> LocalEngine.open(none))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("absent");
    }

    @Test
    void open_anUnknownRing() {
        EngineConfig unknown = new EngineConfig(model, "quantum", 1, PLENTY, 8, 8, CacheRounding.AUTO);
        assertThatThrownBy(() -> LocalEngine.open(unknown))
                .isInstanceOf(EngineException.class)
                .hasMessage("ring: expected auto, native, native:LEVEL, vector or reference, got quantum");
    }

    @Test
    void tokenizer_aModelWithoutOneSaysSo() {
        try (LocalEngine engine = LocalEngine.open(config(1, 8, 8, PLENTY))) {
            assertThatThrownBy(engine::tokenizer)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("tokenizer.json");
        }
    }
}
