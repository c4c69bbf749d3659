package io.millrace.engine.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// How tokens are chosen for one request.
///
/// @param temperature 0 for greedy, else a divisor of the logits, > 0
/// @param topP keep the smallest set of tokens whose probability reaches this, in (0, 1]; 1 keeps all
/// @param topK keep this many most likely tokens; 0 keeps all
/// @param minP drop tokens less likely than this share of the likeliest, in [0, 1); 0 drops none
/// @param maxTokens upper bound of generated tokens, >= 1
/// @param stop strings that end the completion; the text is cut before the first one met
/// @param seed of the random stream, which depends on (seed, position) alone
/// @param ignoreEos go on after the end-of-sequence token, for measurements
/// @param beams hypotheses that beam search keeps, >= 1; 1 for none. Beam search is greedy and knows no
///     stop strings
/// @param lengthPenalty beam search ranks a hypothesis by its logarithmic probability divided by its
///     length, in tokens, to this power; >= 0
/// @param logprobs how many of the likeliest tokens are told beside each chosen one, >= 0; -1 for none
///     and not the chosen one either. Beam search tells none
/// @param form what the answer has to be; null for whatever it is. Beam search knows no forms
public record SamplingParams(
        double temperature,
        double topP,
        int topK,
        double minP,
        int maxTokens,
        List<String> stop,
        long seed,
        boolean ignoreEos,
        int beams,
        double lengthPenalty,
        int logprobs,
        @Nullable OutputForm form) {

    /// Without logarithms of probabilities and form.
    public SamplingParams(
            double temperature,
            double topP,
            int topK,
            double minP,
            int maxTokens,
            List<String> stop,
            long seed,
            boolean ignoreEos,
            int beams,
            double lengthPenalty) {
        this(temperature, topP, topK, minP, maxTokens, stop, seed, ignoreEos, beams, lengthPenalty, -1, null);
    }

    /// Without beam search.
    public SamplingParams(
            double temperature,
            double topP,
            int topK,
            double minP,
            int maxTokens,
            List<String> stop,
            long seed,
            boolean ignoreEos) {
        this(temperature, topP, topK, minP, maxTokens, stop, seed, ignoreEos, 1, 0);
    }

    public SamplingParams {
        stop = List.copyOf(stop);
        require(temperature >= 0 && Double.isFinite(temperature), "temperature", ">= 0", temperature);
        require(topP > 0 && topP <= 1, "topP", "in (0, 1]", topP);
        require(topK >= 0, "topK", ">= 0", topK);
        require(minP >= 0 && minP < 1, "minP", "in [0, 1)", minP);
        require(maxTokens >= 1, "maxTokens", ">= 1", maxTokens);
        require(stop.stream().noneMatch(String::isEmpty), "stop", "non-empty strings", stop);
        require(beams >= 1, "beams", ">= 1", beams);
        require(beams == 1 || temperature == 0, "temperature", "0 with beams", temperature);
        require(beams == 1 || stop.isEmpty(), "stop", "none with beams", stop);
        require(logprobs >= -1, "logprobs", ">= -1", logprobs);
        require(beams == 1 || form == null, "form", "none with beams", form);
        require(!ignoreEos || form == null, "form", "none with ignoreEos", form);
        require(beams == 1 || logprobs == -1, "logprobs", "none with beams", logprobs);
        require(lengthPenalty >= 0 && Double.isFinite(lengthPenalty), "lengthPenalty", ">= 0", lengthPenalty);
    }

    /// Greedy decoding of at most `maxTokens` tokens.
    public static SamplingParams greedy(int maxTokens) {
        return new SamplingParams(0, 1, 0, 0, maxTokens, List.of(), 0, false);
    }

    /// The same with another seed.
    public SamplingParams withSeed(long other) {
        return new SamplingParams(
                temperature, topP, topK, minP, maxTokens, stop, other, ignoreEos, beams, lengthPenalty, logprobs, form);
    }

    /// The same for answers of a form; null for whatever they are.
    public SamplingParams withForm(@Nullable OutputForm other) {
        return new SamplingParams(
                temperature, topP, topK, minP, maxTokens, stop, seed, ignoreEos, beams, lengthPenalty, logprobs, other);
    }

    public boolean isGreedy() {
        return temperature == 0;
    }

    private static void require(boolean holds, String name, String expected, @Nullable Object got) {
        if (!holds) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "sampling." + name + ": expected " + expected + ", got " + got);
        }
    }
}
