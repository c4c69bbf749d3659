package io.millrace.engine.api;

import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.GenerationResult.Timing;
import io.millrace.engine.api.GenerationResult.Usage;
import java.util.List;

/// What became of a scoring request: data, never an exception.
public sealed interface ScoringResult permits ScoringResult.Scored, Failed {
    /// The request's id.
    String requestId();

    /// The continuation was scored.
    ///
    /// @param logprob sum of `logprobs`
    /// @param logprobs natural logarithm of each continuation token's probability after all that stands
    ///     before it, at temperature 1
    /// @param greedy whether greedy decoding would have written this continuation: each of its tokens
    ///     is the likeliest in its place, ties to the lower id
    /// @param told of each place the token that stands there with the likeliest ones, if those were
    ///     asked for; else none
    /// @param usage the continuation's tokens count as completion tokens
    record Scored(
            String requestId,
            double logprob,
            List<Double> logprobs,
            boolean greedy,
            List<TokenLogprob> told,
            Usage usage,
            Timing timing)
            implements ScoringResult {
        public Scored {
            logprobs = List.copyOf(logprobs);
            told = List.copyOf(told);
        }

        /// Without likeliest tokens.
        public Scored(
                String requestId, double logprob, List<Double> logprobs, boolean greedy, Usage usage, Timing timing) {
            this(requestId, logprob, logprobs, greedy, List.of(), usage, timing);
        }
    }
}
