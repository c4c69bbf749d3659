package io.millrace.engine.api;

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
    record Completed(
            String requestId,
            TokenIds tokens,
            String text,
            FinishReason finishReason,
            double meanLogprob,
            Usage usage,
            Timing timing)
            implements GenerationResult {}

    /// The request failed; its row becomes an error row.
    record Failed(String requestId, ErrorCode code, String message) implements GenerationResult, ScoringResult {}

    /// Tokens spent.
    ///
    /// @param promptTokens tokens of the prompt
    /// @param cachedTokens of these, how many were not computed because a prefix was shared
    /// @param completionTokens tokens generated, the end-of-sequence token included
    record Usage(int promptTokens, int cachedTokens, int completionTokens) {}

    /// Where the wall time went, in milliseconds.
    record Timing(double queuedMillis, double prefillMillis, double decodeMillis) {}
}
