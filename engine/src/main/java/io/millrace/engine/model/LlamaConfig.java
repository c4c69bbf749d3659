package io.millrace.engine.model;

import java.util.List;

/// What a Llama is.
///
/// @param pairs how the rows of its query and key matrices are ordered
public record LlamaConfig(DecoderConfig decoder, RotaryPairs pairs) implements LanguageModelConfig {
    @Override
    public String modelType() {
        return "llama";
    }

    @Override
    public int vocabSize() {
        return decoder.vocabSize();
    }

    @Override
    public int numHiddenLayers() {
        return decoder.numHiddenLayers();
    }

    @Override
    public int maxPositionEmbeddings() {
        return decoder.maxPositionEmbeddings();
    }

    @Override
    public List<Integer> eosTokenIds() {
        return decoder.eosTokenIds();
    }

    @Override
    public long cacheBytes(int tokens) {
        return decoder.cacheBytes(tokens);
    }
}
