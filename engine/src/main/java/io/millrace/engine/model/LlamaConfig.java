package io.millrace.engine.model;

/// What a Llama is.
///
/// @param pairs how the rows of its query and key matrices are ordered
public record LlamaConfig(DecoderConfig decoder, RotaryPairs pairs) implements DecoderModelConfig {
    @Override
    public String modelType() {
        return "llama";
    }
}
