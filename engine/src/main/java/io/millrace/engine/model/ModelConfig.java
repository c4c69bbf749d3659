package io.millrace.engine.model;

import java.util.List;

/// What the model is. Component names are config.json's keys in camelCase; DeepSeek's own inference script
/// calls some of them otherwise (hiddenSize = dim, routedScalingFactor = route_scale, slidingWindow =
/// window_size, ...).
///
/// @param layers one entry per decoder layer, in order
/// @param mtpLayers one entry per multi-token prediction block, usually one or none
/// @param bosTokenId -1 if config.json has none
/// @param eosTokenId -1 if config.json has none
/// @param quantized whether config.json has a quantization_config, that is, whether the model was trained
///     with rounded cache rows
public record ModelConfig(
        int vocabSize,
        int hiddenSize,
        List<Layer> layers,
        List<Layer> mtpLayers,
        Attention attention,
        Indexer indexer,
        Moe moe,
        HyperConnections hyperConnections,
        Rope rope,
        double rmsNormEps,
        int maxPositionEmbeddings,
        int bosTokenId,
        int eosTokenId,
        boolean quantized)
        implements LanguageModelConfig {

    public ModelConfig {
        layers = List.copyOf(layers);
        mtpLayers = List.copyOf(mtpLayers);
    }

    /// One decoder layer.
    ///
    /// @param compressRatio tokens per compressed row; 0 for a purely sliding layer
    /// @param kind follows from the ratio: 0 sliding, 4 CSA, any other HCA
    /// @param hashRouted experts are looked up by token id instead of scored
    public record Layer(int index, LayerKind kind, int compressRatio, boolean hashRouted) {}

    /// How a layer sees tokens beyond its sliding window.
    public enum LayerKind {
        SLIDING,
        /// Compressed sparse attention: overlapping windows, an indexer chooses the rows.
        CSA,
        /// Heavily compressed attention: disjoint windows, all rows.
        HCA
    }

    /// @param numAttentionHeads query heads; one key-value head is shared by all
    /// @param headDim floats of a head, the rotated ones included
    /// @param qkRopeHeadDim how many trailing floats of a head are rotated
    /// @param oGroups groups of heads with an output projection of their own
    /// @param slidingWindow raw positions seen, the query's own included
    public record Attention(
            int numAttentionHeads,
            int headDim,
            int qkRopeHeadDim,
            int qLoraRank,
            int oGroups,
            int oLoraRank,
            int slidingWindow) {}

    /// The lightning indexer of CSA layers.
    public record Indexer(int indexNHeads, int indexHeadDim, int indexTopk) {}

    /// @param swigluLimit 0 for no clamp
    public record Moe(
            int nRoutedExperts,
            int nSharedExperts,
            int numExpertsPerTok,
            int moeIntermediateSize,
            double routedScalingFactor,
            double swigluLimit) {}

    /// Manifold-constrained hyper-connections.
    ///
    /// @param hcMult parallel residual streams
    /// @param hcSinkhornIters normalisations, the first softmax counted
    public record HyperConnections(int hcMult, int hcSinkhornIters, double hcEps) {
        /// Rows of a site's mixing matrix: pre, post and combination weights.
        public int mixes() {
            return (2 + hcMult) * hcMult;
        }
    }

    /// @param yarn scaling of the compressed layers' frequencies, factor 1 for none
    public record Rope(double ropeTheta, double compressRopeTheta, Yarn yarn) {}

    /// YaRN frequency scaling; no attention temperature goes with it.
    ///
    /// @param originalMaxPositionEmbeddings 0 for no scaling
    public record Yarn(double factor, double betaFast, double betaSlow, int originalMaxPositionEmbeddings) {
        public static final Yarn NONE = new Yarn(1, 32, 1, 0);
    }

    @Override
    public String modelType() {
        return "deepseek_v4";
    }

    @Override
    public List<Integer> eosTokenIds() {
        return eosTokenId < 0 ? List.of() : List.of(eosTokenId);
    }

    @Override
    public long cacheBytes(int tokens) {
        return Caches.shape(this).bytes(tokens);
    }

    @Override
    public int numHiddenLayers() {
        return layers.size();
    }
}
