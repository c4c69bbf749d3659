package io.millrace.engine.cache;

/// What one sequence remembers, layer by layer; each model makes its own kind. Used by the engine's batch
/// thread alone; its memory is the garbage collector's.
public sealed interface SequenceCache permits CompressedCache, KeyValueCache {
    /// Tokens seen so far: the position of the next one.
    int length();

    /// To be called when all layers have taken a step's tokens.
    void advance(int tokens);

    /// Bytes held now, without what is shared with the sequence it was forked from.
    long bytes();

    /// Bytes of complete pages, of which a fork holds none.
    long completePageBytes();

    /// A sequence that has seen the same tokens and goes its own way from here. Complete pages, which nothing
    /// writes to again, belong to both; everything else is copied. What it computes has the same bits as
    /// without the fork, wherever that is.
    SequenceCache fork();

    /// Remembers this position, so that {@link #rewind} can return to it or go to one between.
    void mark();

    /// Forgets the last tokens: from then on as if they had never been seen.
    ///
    /// @param length at least that of the last {@link #mark}, after which at most one step may have been
    ///     taken
    void rewind(int length);
}
