package io.millrace.udf;

import io.millrace.engine.api.SamplingParams;

/// One prompt to complete.
///
/// @param id the row's, carried through to the result
/// @param reading how the answer is read
public record PromptRequest(String id, EncodedPrompt prompt, SamplingParams sampling, Reading reading) {

    /// Of an answer that may be anything.
    public PromptRequest(String id, EncodedPrompt prompt, SamplingParams sampling) {
        this(id, prompt, sampling, Reading.of(Thinking.CHAT));
    }
}
