package io.millrace.engine.api;

/// A given continuation whose probability is asked for.
///
/// @param id the caller's name for it, carried through to the result and into messages
/// @param prompt what stands before, at least one token
/// @param continuation the tokens to score, at least one
/// @param top how many likeliest tokens are told for each place of the continuation, >= 0
public record ScoringRequest(String id, TokenIds prompt, TokenIds continuation, int top) {

    /// Without what else could have stood there.
    public ScoringRequest(String id, TokenIds prompt, TokenIds continuation) {
        this(id, prompt, continuation, 0);
    }
}
