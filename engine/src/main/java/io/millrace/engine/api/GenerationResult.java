package io.millrace.engine.api;

import java.util.List;

/// What became of a request: data, never an exception.
public sealed interface GenerationResult {
    /// The request's id.
    String requestId();

    /// The request ran to its end.
    ///
    /// @param tokens generated ids; the end-of-sequence token that ended the completion is not among them
    /// @param text the decoded tokens, cut before the stop string that was met
    /// @param meanLogprob mean natural logarithm of the chosen tokens' probabilities at temperature 1; NaN
    ///     if none
    /// @param logprobs one for each of the tokens, if they were asked for; else none
    record Completed(
            String requestId,
            TokenIds tokens,
            String text,
            FinishReason finishReason,
            double meanLogprob,
            Usage usage,
            Timing timing,
            List<TokenLogprob> logprobs)
            implements GenerationResult {

        public Completed {
            logprobs = List.copyOf(logprobs);
        }

        /// Without logarithms of each token's probability.
        public Completed(
                String requestId,
                TokenIds tokens,
                String text,
                FinishReason finishReason,
                double meanLogprob,
                Usage usage,
                Timing timing) {
            this(requestId, tokens, text, finishReason, meanLogprob, usage, timing, List.of());
        }
    }

    /// The request failed; its row becomes an error row.
    ///
    /// @param attempts how often the engine has tried, at least once
    record Failed(String requestId, ErrorCode code, String message, int attempts)
            implements GenerationResult, ScoringResult {

        /// Tried once.
        public Failed(String requestId, ErrorCode code, String message) {
            this(requestId, code, message, 1);
        }
    }

    /// Tokens spent.
    ///
    /// @param promptTokens tokens of the prompt
    /// @param cachedTokens of these, how many were not computed because a prefix was shared
    /// @param completionTokens tokens generated, the end-of-sequence token included
    /// @param reasoningTokens of these, those of the reasoning, where a server counts them; 0 otherwise
    record Usage(int promptTokens, int cachedTokens, int completionTokens, int reasoningTokens) {

        /// With nothing told of the reasoning.
        public Usage(int promptTokens, int cachedTokens, int completionTokens) {
            this(promptTokens, cachedTokens, completionTokens, 0);
        }
    }

    /// Where the wall time went, in milliseconds.
    record Timing(double queuedMillis, double prefillMillis, double decodeMillis) {}
}
