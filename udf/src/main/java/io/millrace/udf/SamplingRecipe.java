package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.SamplingParams;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How tokens are chosen, for every row alike; a row's own random stream comes from its identity.
///
/// @param temperature 0 for greedy
/// @param topP in (0, 1]
/// @param topK 0 keeps all
/// @param minP in [0, 1)
/// @param maxTokens upper bound of generated tokens, >= 1
/// @param stop strings that end a completion
/// @param seed from which each row's seed is derived
/// @param samples completions per input row, >= 1
/// @param beams hypotheses that beam search keeps; 1 for none
/// @param lengthPenalty power of the length by which beam search divides
/// @param logprobs how many likeliest tokens are told beside each chosen one; -1 for none and not that
///     either
public record SamplingRecipe(
        double temperature,
        double topP,
        int topK,
        double minP,
        int maxTokens,
        List<String> stop,
        long seed,
        int samples,
        int beams,
        double lengthPenalty,
        int logprobs)
        implements Serializable {

    /// Without logarithms of probabilities.
    public SamplingRecipe(
            double temperature,
            double topP,
            int topK,
            double minP,
            int maxTokens,
            List<String> stop,
            long seed,
            int samples,
            int beams,
            double lengthPenalty) {
        this(temperature, topP, topK, minP, maxTokens, stop, seed, samples, beams, lengthPenalty, -1);
    }

    public SamplingRecipe {
        stop = List.copyOf(stop);
        if (samples < 1) {
            throw new IllegalArgumentException("sampling.samples: expected >= 1, got " + samples);
        }
    }

    /// Greedy, one sample.
    public static SamplingRecipe greedy(int maxTokens) {
        return new SamplingRecipe(0, 1, 0, 0, maxTokens, List.of(), 0, 1, 1, 0);
    }

    /// With other numbers in place of some of these.
    ///
    /// @param changes name, as the configuration has it, to number
    /// @throws IllegalArgumentException if there is no such name, or the numbers do not go together
    public SamplingRecipe with(Map<String, Double> changes) {
        Map<String, Double> left = new HashMap<>(changes);
        SamplingRecipe changed = new SamplingRecipe(
                take(left, "temperature", temperature),
                take(left, "top-p", topP),
                (int) take(left, "top-k", topK),
                take(left, "min-p", minP),
                (int) take(left, "max-tokens", maxTokens),
                stop,
                seed,
                samples,
                (int) take(left, "beams", beams),
                take(left, "length-penalty", lengthPenalty),
                logprobs);
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("sampling: expected numbers of a row, got " + left.keySet());
        }
        try {
            SamplingParams _ = changed.params(0);
        } catch (EngineException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        return changed;
    }

    private static double take(Map<String, Double> from, String name, double otherwise) {
        Double value = from.remove(name);
        return value == null ? otherwise : value;
    }

    /// The parameters of one row.
    public SamplingParams params(long rowSeed) {
        return new SamplingParams(
                temperature, topP, topK, minP, maxTokens, stop, rowSeed, false, beams, lengthPenalty, logprobs, null);
    }
}
