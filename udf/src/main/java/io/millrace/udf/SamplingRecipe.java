package io.millrace.udf;

import io.millrace.engine.api.SamplingParams;
import java.io.Serializable;
import java.util.List;

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
        double lengthPenalty)
        implements Serializable {

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

    /// The parameters of one row.
    public SamplingParams params(long rowSeed) {
        return new SamplingParams(temperature, topP, topK, minP, maxTokens, stop, rowSeed, false, beams, lengthPenalty);
    }
}
