package io.millrace.engine.model;

import java.util.List;

/// A model whose sizes are a {@link DecoderConfig}'s.
public sealed interface DecoderModelConfig extends LanguageModelConfig permits LlamaConfig, Qwen3Config {
    /// The sizes.
    DecoderConfig decoder();

    @Override
    default int vocabSize() {
        return decoder().vocabSize();
    }

    @Override
    default int numHiddenLayers() {
        return decoder().numHiddenLayers();
    }

    @Override
    default int maxPositionEmbeddings() {
        return decoder().maxPositionEmbeddings();
    }

    @Override
    default List<Integer> eosTokenIds() {
        return decoder().eosTokenIds();
    }

    @Override
    default long cacheBytes(int tokens) {
        return decoder().cacheBytes(tokens);
    }
}
