package io.millrace.engine.api;

/// Hears of the tokens of a completion as they are chosen, the end-of-sequence token that ends it left out.
@FunctionalInterface
public interface TokenListener {

    /// Called on the batch's own thread, which every request waits for: to return soon and without an
    /// exception. A request that is begun anew tells its tokens again.
    ///
    /// @param index of the token among the generated ones, from 0
    /// @param logits it was chosen from, of the whole vocabulary; neither to be changed nor kept
    /// @param logSumExp of the logits: less it, a logit is the natural logarithm of a probability
    void chosen(int index, int token, float[] logits, double logSumExp);
}
