package io.millrace.engine;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A whole model on a ring against the reference ring: logits at every position of random tokens, and what
/// both say greedily to a few prompts that run together.
public final class ModelContract {
    private static final long SEED = 20261122;
    private static final int PROMPTS = 4;

    /// @param model its name, or the folder if it could not be opened
    /// @param positions whose logits were compared
    /// @param largest difference of any logit
    /// @param median of the positions' largest differences
    /// @param sameArgmax positions whose likeliest token is the same
    /// @param sameTokens prompts answered with the same tokens
    /// @param prompts answered
    /// @param failure what was thrown, or null
    public record Result(
            String model,
            int positions,
            double largest,
            double median,
            int sameArgmax,
            int sameTokens,
            int prompts,
            @Nullable String failure) {}

    /// What one ring says.
    ///
    /// @param logits [tokens][vocab]
    @SuppressWarnings("ArrayRecordComponent")
    private record Answers(String model, float[][] logits, List<TokenIds> tokens) {}

    private ModelContract() {}

    /// @param ring see {@link EngineConfig}
    /// @param tokens of the sequence whose logits are compared
    /// @param generated tokens of each answer
    public static Result run(Path model, String ring, CacheRounding rounding, int tokens, int generated) {
        try {
            Answers expected = answers(model, "reference", rounding, tokens, generated);
            return compare(expected, answers(model, ring, rounding, tokens, generated));
        } catch (RuntimeException e) {
            return new Result(model.toString(), 0, 0, 0, 0, 0, 0, String.valueOf(e.getMessage()));
        }
    }

    private static Answers answers(Path model, String ring, CacheRounding rounding, int tokens, int generated) {
        EngineConfig machine = EngineConfig.of(model);
        EngineConfig config =
                new EngineConfig(model, ring, machine.threads(), machine.cacheBudgetBytes(), 64, PROMPTS, rounding);
        try (LocalEngine engine = LocalEngine.open(config)) {
            Random random = new Random(SEED);
            int vocab = engine.model().vocabSize();
            float[][] logits = engine.logits(random.ints(tokens, 0, vocab).toArray());
            List<CompletableFuture<GenerationResult>> pending = new ArrayList<>();
            for (int p = 0; p < PROMPTS; p++) {
                TokenIds prompt = TokenIds.of(random.ints(3 + 17 * p, 0, vocab).toArray());
                pending.add(
                        engine.submit(new GenerationRequest("prompt " + p, prompt, SamplingParams.greedy(generated))));
            }
            return new Answers(
                    engine.model().name(),
                    logits,
                    pending.stream().map(ModelContract::tokens).toList());
        }
    }

    private static TokenIds tokens(CompletableFuture<GenerationResult> pending) {
        return switch (pending.join()) {
            case Completed completed -> completed.tokens();
            case Failed failed -> throw new IllegalStateException(failed.requestId() + ": " + failed.message());
        };
    }

    private static Result compare(Answers expected, Answers got) {
        double[] differences = new double[expected.logits().length];
        int sameArgmax = 0;
        for (int i = 0; i < differences.length; i++) {
            differences[i] = difference(expected.logits()[i], got.logits()[i]);
            sameArgmax += argmax(expected.logits()[i]) == argmax(got.logits()[i]) ? 1 : 0;
        }
        Arrays.sort(differences);
        int same = 0;
        for (int p = 0; p < PROMPTS; p++) {
            same += expected.tokens().get(p).equals(got.tokens().get(p)) ? 1 : 0;
        }
        return new Result(
                expected.model(),
                differences.length,
                differences[differences.length - 1],
                differences[differences.length / 2],
                sameArgmax,
                same,
                PROMPTS,
                null);
    }

    private static double difference(float[] expected, float[] got) {
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs((double) got[i] - expected[i]);
            largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest, difference);
        }
        return largest;
    }

    private static int argmax(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
