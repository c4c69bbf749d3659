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
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Beam search against searches that compute every hypothesis from its first token.
class BeamSearchTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final long PLENTY = 1L << 30;
    private static final int VOCABULARY = 64;
    private static final int EOS = 1;

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

    private static LocalEngine engine(int threads, int stepTokens, int maxRunning) {
        return LocalEngine.open(
                new EngineConfig(model, "vector", threads, PLENTY, stepTokens, maxRunning, CacheRounding.AUTO));
    }

    private static SamplingParams beams(int beams, int maxTokens, double lengthPenalty, boolean ignoreEos) {
        return new SamplingParams(0, 1, 0, 0, maxTokens, List.of(), 0, ignoreEos, beams, lengthPenalty);
    }

    private static int[] prompt(int seed, int length) {
        return new Random(SEED + seed).ints(length, 2, VOCABULARY).toArray();
    }

    private static double[] logProbabilities(LocalEngine engine, int[] tokens) {
        float[] logits = engine.logits(tokens)[tokens.length - 1];
        double sum = IntStream.range(0, logits.length)
                .mapToDouble(i -> Math.exp(logits[i]))
                .sum();
        return IntStream.range(0, logits.length)
                .mapToDouble(i -> logits[i] - Math.log(sum))
                .toArray();
    }

    private static int[] with(int[] tokens, int token) {
        int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
        longer[tokens.length] = token;
        return longer;
    }

    @Test
    void submit_asManyBeamsAsTokens_findsTheLikeliestOfAllPairs() {
        try (LocalEngine engine = engine(2, 128, 64)) {
            int[] prompt = prompt(0, 21);
            int[] best = {};
            double bestLogprob = Double.NEGATIVE_INFINITY;
            double[] first = logProbabilities(engine, prompt);
            for (int a = 0; a < VOCABULARY; a++) {
                double[] second = logProbabilities(engine, with(prompt, a));
                for (int b = 0; b < VOCABULARY; b++) {
                    if (first[a] + second[b] > bestLogprob) {
                        bestLogprob = first[a] + second[b];
                        best = new int[] {a, b};
                    }
                }
            }
            Completed found = (Completed)
                    engine.submit(new GenerationRequest("pairs", TokenIds.of(prompt), beams(VOCABULARY, 2, 0, true)))
                            .join();
            assertThat(found.tokens()).isEqualTo(TokenIds.of(best));
            assertThat(found.meanLogprob()).isCloseTo(bestLogprob / 2, within(1e-5));
            assertThat(found.finishReason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    /// The search as its description says it, without caches.
    private static TokenIds search(LocalEngine engine, int[] prompt, SamplingParams params) {
        record Text(int[] tokens, double logprob) {}
        List<Text> live = List.of(new Text(new int[0], 0));
        List<Text> finished = new ArrayList<>();
        Comparator<Text> byScore =
                Comparator.comparingDouble(t -> t.logprob() / Math.pow(t.tokens().length, params.lengthPenalty()));
        for (int length = 1; length <= params.maxTokens(); length++) {
            List<Text> all = new ArrayList<>();
            for (Text text : live) {
                int[] tokens = IntStream.concat(Arrays.stream(prompt), Arrays.stream(text.tokens()))
                        .toArray();
                double[] logprobs = logProbabilities(engine, tokens);
                for (int token = 0; token < VOCABULARY; token++) {
                    all.add(new Text(with(text.tokens(), token), text.logprob() + logprobs[token]));
                }
            }
            all.sort(Comparator.comparingDouble(Text::logprob).reversed());
            List<Text> next = new ArrayList<>();
            for (Text text : all.subList(0, 2 * params.beams())) {
                if (text.tokens()[length - 1] == EOS) {
                    finished.add(text);
                } else if (next.size() < params.beams()) {
                    next.add(text);
                }
            }
            live = next;
            boolean beaten = finished.size() >= params.beams()
                    && byScore.compare(finished.stream().max(byScore).orElseThrow(), live.getFirst()) >= 0;
            if (beaten) {
                live = List.of();
                break;
            }
        }
        finished.addAll(live);
        int[] best = finished.stream().max(byScore).orElseThrow().tokens();
        return TokenIds.of(Arrays.stream(best).takeWhile(token -> token != EOS).toArray());
    }

    @Test
    void submit_agreesWithASearchThatKeepsNothing() {
        try (LocalEngine engine = engine(1, 64, 16)) {
            int stopped = 0;
            for (int i = 0; i < 12; i++) {
                int[] prompt = prompt(i, 5 + 11 * i);
                SamplingParams params = beams(2 + i % 4, 9, 0.5 * (i % 3), false);
                Completed found =
                        (Completed) engine.submit(new GenerationRequest("row-" + i, TokenIds.of(prompt), params))
                                .join();
                assertThat(found.tokens()).as("prompt %d", i).isEqualTo(search(engine, prompt, params));
                stopped += found.finishReason() == FinishReason.STOP ? 1 : 0;
            }
            assertThat(stopped).as("searches that ended before maxTokens").isPositive();
        }
    }

    private static Map<String, TokenIds> run(LocalEngine engine, List<GenerationRequest> requests) {
        Map<String, TokenIds> tokens = new HashMap<>();
        List<CompletableFuture<GenerationResult>> futures =
                requests.stream().map(engine::submit).toList();
        for (CompletableFuture<GenerationResult> future : futures) {
            Completed completed = (Completed) future.join();
            tokens.put(completed.requestId(), completed.tokens());
        }
        return tokens;
    }

    @Test
    void submit_tokensDoNotDependOnBatchThreadsOrChunks() {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            SamplingParams params = i % 3 == 0 ? SamplingParams.greedy(10) : beams(1 + i % 5, 10, 0.7, i % 2 == 0);
            requests.add(new GenerationRequest("row-" + i, TokenIds.of(prompt(i / 2, 3 * i + 4)), params));
        }
        Map<String, TokenIds> alone = new HashMap<>();
        try (LocalEngine engine = engine(1, 512, 5)) {
            requests.forEach(request -> alone.putAll(run(engine, List.of(request))));
        }
        for (int[] setting : new int[][] {{2, 512, 64}, {1, 7, 5}, {2, 33, 20}}) {
            try (LocalEngine engine = engine(setting[0], setting[1], setting[2])) {
                assertThat(run(engine, requests)).as(Arrays.toString(setting)).isEqualTo(alone);
                assertThat(engine.stats().cacheBytes()).isZero();
            }
        }
    }

    @Test
    void submit_moreBeamsThanTheBatchHolds_isAnErrorOfThatRequest() {
        try (LocalEngine engine = engine(1, 64, 4)) {
            Failed failed = (Failed) engine.submit(new GenerationRequest("a", TokenIds.of(5), beams(5, 3, 0, false)))
                    .join();
            assertThat(failed.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
            assertThat(failed.message()).contains("beams", "at most the 4", "got 5");
        }
    }

    @Test
    void params_beamsAreGreedyAndKnowNoStopStrings() {
        assertThatThrownBy(() -> new SamplingParams(0.5, 1, 0, 0, 3, List.of(), 0, false, 2, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("temperature");
        assertThatThrownBy(() -> new SamplingParams(0, 1, 0, 0, 3, List.of("."), 0, false, 2, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("stop");
    }
}
