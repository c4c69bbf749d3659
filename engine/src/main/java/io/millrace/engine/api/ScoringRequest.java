package io.millrace.engine.api;

/// A given continuation whose probability is asked for.
///
/// @param id the caller's name for it, carried through to the result and into messages
/// @param prompt what stands before, at least one token
/// @param continuation the tokens to score, at least one
public record ScoringRequest(String id, TokenIds prompt, TokenIds continuation) {}
