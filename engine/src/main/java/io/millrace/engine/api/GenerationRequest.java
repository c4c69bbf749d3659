package io.millrace.engine.api;

/// One prompt to complete.
///
/// @param id the caller's name for it, carried through to the result and into messages
/// @param prompt the prompt's tokens, at least one
/// @param sampling how tokens are chosen
public record GenerationRequest(String id, TokenIds prompt, SamplingParams sampling) {}
