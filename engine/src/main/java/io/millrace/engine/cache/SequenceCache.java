package io.millrace.engine.cache;

/// What one sequence remembers, layer by layer; each model makes its own kind. Used by the engine's batch
/// thread alone; its memory is the garbage collector's.
public sealed interface SequenceCache permits CompressedCache, KeyValueCache {
    /// Tokens seen so far: the position of the next one.
    int length();

    /// To be called when all layers have taken a step's tokens.
    void advance(int tokens);

    /// Bytes held now.
    long bytes();
}
