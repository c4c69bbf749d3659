package io.millrace.engine.api;

/// Counters since the engine was opened, and its state now.
///
/// @param promptTokens tokens of the prompts that were processed, shared ones included
/// @param cachedTokens of these, how many were not computed because a prefix was shared
/// @param completionTokens tokens generated or scored
/// @param completed requests that completed
/// @param failed requests that failed
/// @param steps forward passes
/// @param stepTokens tokens that went through them, guesses included
/// @param stepCapacity tokens that would have fitted into them
/// @param guessedTokens tokens that speculative decoding guessed and the model then checked
/// @param acceptedTokens of these, how many were right
/// @param running sequences in the running batch now
/// @param waiting requests not yet admitted
/// @param cacheBytes bytes of cache reserved for running sequences
/// @param prefixBytes bytes of cache kept for prompts that begin alike
public record EngineStats(
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long completed,
        long failed,
        long steps,
        long stepTokens,
        long stepCapacity,
        long guessedTokens,
        long acceptedTokens,
        int running,
        int waiting,
        long cacheBytes,
        long prefixBytes) {

    /// Of an engine that has done nothing.
    public static final EngineStats NONE = new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// What was counted by both, with the state of this one.
    ///
    /// @param earlier of an engine that was there before
    public EngineStats after(EngineStats earlier) {
        return new EngineStats(
                promptTokens + earlier.promptTokens,
                cachedTokens + earlier.cachedTokens,
                completionTokens + earlier.completionTokens,
                completed + earlier.completed,
                failed + earlier.failed,
                steps + earlier.steps,
                stepTokens + earlier.stepTokens,
                stepCapacity + earlier.stepCapacity,
                guessedTokens + earlier.guessedTokens,
                acceptedTokens + earlier.acceptedTokens,
                running,
                waiting,
                cacheBytes,
                prefixBytes);
    }

    /// How full the steps were, in [0, 1]; NaN before the first.
    public double occupancy() {
        return (double) stepTokens / stepCapacity;
    }
}
