package io.millrace.engine.api;

/// Counters since the engine was opened, and its state now.
///
/// @param promptTokens prompt tokens processed
/// @param completionTokens tokens generated
/// @param completed requests that completed
/// @param failed requests that failed
/// @param steps forward passes
/// @param running sequences in the running batch now
/// @param waiting requests not yet admitted
/// @param cacheBytes bytes of cache held by running sequences
public record EngineStats(
        long promptTokens,
        long completionTokens,
        long completed,
        long failed,
        long steps,
        int running,
        int waiting,
        long cacheBytes) {}
