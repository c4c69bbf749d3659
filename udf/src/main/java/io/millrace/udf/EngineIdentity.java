package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Serializable;

/// What of an engine can change an answer: two engines that are equal here give the same bits for the same
/// request.
///
/// @param model name of the model
/// @param revision revision of the model
/// @param weightsSha256 over the weights and their configuration
/// @param tokenizerSha256 over the tokenizer's file; that of the weights if they bring their own
/// @param quantization format of the weights
/// @param kernels what computes
/// @param logitsSha256 over the bits of the logits of a fixed prompt: the arithmetic itself, whichever
///     version, processor and compiler it comes from
public record EngineIdentity(
        String model,
        String revision,
        String weightsSha256,
        String tokenizerSha256,
        String quantization,
        String kernels,
        String logitsSha256)
        implements Serializable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// As JSON with the components' names.
    public String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings can always be written", e);
        }
    }

    /// @throws IllegalArgumentException if it is not what {@link #toJson} writes
    public static EngineIdentity ofJson(String json) {
        try {
            return JSON.readValue(json, EngineIdentity.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("engine's identity: expected its JSON, got " + json, e);
        }
    }
}
