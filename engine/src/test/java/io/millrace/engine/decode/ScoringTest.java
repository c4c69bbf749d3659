package io.millrace.engine.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult.Scored;
import io.millrace.engine.api.TokenIds;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Scores of given continuations against the logits of the same tokens.
class ScoringTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final Path VECTORS = Path.of("src/test/resources/vectors");

    private static LocalEngine open(String model, String ring, int stepTokens) {
        return LocalEngine.open(
                new EngineConfig(VECTORS.resolve(model), ring, 2, 1L << 28, stepTokens, 8, CacheRounding.AUTO));
    }

    private static Scored score(LocalEngine engine, int[] prompt, int... continuation) {
        ScoringRequest request = new ScoringRequest("a", TokenIds.of(prompt), TokenIds.of(continuation));
        return (Scored) engine.score(request).join();
    }

    @ParameterizedTest
    @CsvSource({
        "tiny-fp32, reference, 512",
        "tiny-official-quant, auto, 512",
        "tiny-official-quant, auto, 5",
        "tiny-qwen3, vector, 3",
        "tiny-llama, vector, 512"
    })
    void logprobs_areThoseOfTheLogits(String model, String ring, int stepTokens) {
        Random random = new Random(SEED);
        try (LocalEngine engine = open(model, ring, stepTokens)) {
            for (int length : new int[] {1, 2, 15, 40}) {
                int[] prompt = random.ints(1 + random.nextInt(40), 0, 60).toArray();
                int[] continuation = random.ints(length, 0, 60).toArray();
                int[] all = IntStream.concat(IntStream.of(prompt), IntStream.of(continuation))
                        .toArray();
                float[][] logits = engine.logits(all);
                double[] expected = new double[length];
                for (int i = 0; i < length; i++) {
                    expected[i] = logprob(logits[prompt.length - 1 + i], continuation[i]);
                }
                Scored scored = score(engine, prompt, continuation);
                assertThat(scored.logprobs()).hasSize(length);
                for (int i = 0; i < length; i++) {
                    // a sum of exponentials in float against one in double
                    assertThat(scored.logprobs().get(i)).isCloseTo(expected[i], within(1e-5));
                }
                assertThat(scored.logprob()).isCloseTo(DoubleStream.of(expected).sum(), within(length * 1e-5));
                assertThat(scored.usage().promptTokens()).isEqualTo(prompt.length);
                assertThat(scored.usage().completionTokens()).isEqualTo(length);
            }
        }
    }

    private static double logprob(float[] logits, int token) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        return logits[token] - Math.log(sum);
    }

    @Test
    void greedy_onlyOfWhatGreedyDecodingWrites() {
        try (LocalEngine engine = open("tiny-fp32", "vector", 16)) {
            int[] prompt = new Random(SEED).ints(30, 0, 60).toArray();
            SamplingParams sampling = new SamplingParams(0, 1, 0, 0, 10, List.of(), 0, true);
            Completed completed = (Completed) engine.submit(new GenerationRequest("a", TokenIds.of(prompt), sampling))
                    .join();
            int[] written = completed.tokens().toArray();
            Scored scored = score(engine, prompt, written);
            assertThat(scored.greedy()).isTrue();
            assertThat(scored.logprob()).isCloseTo(10 * completed.meanLogprob(), within(1e-12));
            for (int i = 0; i < written.length; i++) {
                int[] other = written.clone();
                other[i] = (other[i] + 1) % 60;
                assertThat(score(engine, prompt, other).greedy())
                        .as("token %d", i)
                        .isFalse();
                assertThat(score(engine, prompt, Arrays.copyOf(written, i + 1)).greedy())
                        .isTrue();
            }
        }
    }

    @Test
    void score_badRequestsFailAloneAndSayWhy() {
        try (LocalEngine engine = open("tiny-fp32", "vector", 16)) {
            int most = engine.model().maxPositions();
            int[] one = {1};
            assertFailed(engine, new int[0], one, ErrorCode.INVALID_REQUEST, "prompt: expected at least one");
            assertFailed(engine, one, new int[0], ErrorCode.INVALID_REQUEST, "continuation: expected at least one");
            assertFailed(engine, one, new int[] {1, 900}, ErrorCode.INVALID_REQUEST, "got 900 at position 1");
            assertFailed(engine, one, new int[most], ErrorCode.CONTEXT_EXCEEDED, "continuation of " + most + ":");
            assertThat(score(engine, one, 2).logprob()).isNegative();
        }
    }

    private static void assertFailed(
            LocalEngine engine, int[] prompt, int[] continuation, ErrorCode code, String message) {
        ScoringRequest request = new ScoringRequest("bad", TokenIds.of(prompt), TokenIds.of(continuation));
        assertThat(engine.score(request).join()).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.requestId()).isEqualTo("bad");
            assertThat(failed.code()).isEqualTo(code);
            assertThat(failed.message()).contains(message);
        });
    }
}
