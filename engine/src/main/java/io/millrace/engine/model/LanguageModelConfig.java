package io.millrace.engine.model;

import java.util.List;

/// What is asked of every model's configuration, whatever its architecture.
public sealed interface LanguageModelConfig permits ModelConfig, DecoderModelConfig {
    /// config.json's word for the architecture.
    String modelType();

    /// Rows of the embedding.
    int vocabSize();

    int numHiddenLayers();

    /// Longest sequence.
    int maxPositionEmbeddings();

    /// The tokens that end a completion; none if the model does not say.
    List<Integer> eosTokenIds();

    /// Bytes of cache that one sequence of that many tokens takes.
    long cacheBytes(int tokens);
}
