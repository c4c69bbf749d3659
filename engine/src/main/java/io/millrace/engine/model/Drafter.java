package io.millrace.engine.model;

import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.tensor.Floats;

/// A model's own guess at the token after the next one, for speculative decoding. Guesses may be wrong: what
/// a sequence becomes is for the model alone to say.
public interface Drafter {
    /// An empty sequence of the drafter's own. Where it begins in the model's sequence is free.
    SequenceCache newCache();

    /// Takes tokens and guesses those behind some of them.
    ///
    /// @param hidden rows of the model's last forward pass, no longer good after this call
    /// @param rows which of them, one for each token of `next`
    /// @param next for each of these rows the token that follows it, in the drafter's own sequences
    /// @param wanted rows of `next` behind which to guess
    /// @return logits [wanted.length, V], good until the next call
    Floats logits(Floats hidden, int[] rows, Step next, int[] wanted);
}
