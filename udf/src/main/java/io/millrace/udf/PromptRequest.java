package io.millrace.udf;

import io.millrace.engine.api.SamplingParams;

/// One prompt to complete.
///
/// @param id the row's, carried through to the result
public record PromptRequest(String id, EncodedPrompt prompt, SamplingParams sampling) {}
