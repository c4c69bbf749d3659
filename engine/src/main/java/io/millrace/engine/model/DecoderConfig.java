package io.millrace.engine.model;

import io.millrace.engine.cache.KeyValueCache;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import java.util.List;

/// The sizes that Qwen3 and Llama have in common. Component names are config.json's keys in camelCase.
///
/// @param numAttentionHeads query heads, a multiple of the key-value heads
/// @param headDim floats of a head, all of them rotated
/// @param intermediateSize inner size of dense feed-forward units
/// @param tieWordEmbeddings whether the embedding is the output head too
public record DecoderConfig(
        int vocabSize,
        int hiddenSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        int intermediateSize,
        Rope rope,
        double rmsNormEps,
        int maxPositionEmbeddings,
        boolean tieWordEmbeddings,
        List<Integer> eosTokenIds) {

    public DecoderConfig {
        eosTokenIds = List.copyOf(eosTokenIds);
    }

    /// Rotary position embedding.
    public record Rope(double ropeTheta, RopeScaling scaling) {}

    /// What a position leaves in a layer's cache.
    KeyValueShape keyValueShape() {
        return new KeyValueShape(numKeyValueHeads, headDim);
    }

    long cacheBytes(int tokens) {
        return KeyValueCache.bytes(keyValueShape(), numHiddenLayers, tokens);
    }
}
