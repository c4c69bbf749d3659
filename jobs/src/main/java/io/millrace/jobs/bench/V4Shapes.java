package io.millrace.jobs.bench;

import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import java.util.List;
import java.util.stream.IntStream;

/// Shapes of DeepSeek-V4, and what a token costs in them (deepseek-v4.md section 9).
final class V4Shapes {
    private static final ModelConfig.Yarn YARN = new ModelConfig.Yarn(16, 32, 1, 65_536);
    private static final int FLASH_LAYERS = 43;

    private V4Shapes() {}

    /// V4-Flash as released, prediction block left out.
    static ModelConfig flash() {
        int[] ratios = IntStream.range(0, FLASH_LAYERS)
                .map(layer -> layer < 2 ? 0 : layer % 2 == 0 ? 4 : 128)
                .toArray();
        return config(
                129_280,
                4096,
                ratios,
                new ModelConfig.Attention(64, 512, 64, 1024, 8, 1024, 128),
                new ModelConfig.Indexer(64, 128, 512),
                new ModelConfig.Moe(256, 1, 6, 2048, 1.5, 10));
    }

    /// As long a context, windows and compressed rows as the released ones, of a fraction of the width.
    static ModelConfig narrow() {
        return config(
                1024,
                512,
                new int[] {0, 4, 128, 4, 128},
                new ModelConfig.Attention(16, 512, 64, 256, 2, 256, 128),
                new ModelConfig.Indexer(16, 128, 512),
                new ModelConfig.Moe(8, 1, 2, 256, 1.5, 10));
    }

    private static ModelConfig config(
            int vocab,
            int hidden,
            int[] ratios,
            ModelConfig.Attention attention,
            ModelConfig.Indexer indexer,
            ModelConfig.Moe moe) {
        List<ModelConfig.Layer> layers = IntStream.range(0, ratios.length)
                .mapToObj(index -> new ModelConfig.Layer(index, kind(ratios[index]), ratios[index], false))
                .toList();
        return new ModelConfig(
                vocab,
                hidden,
                layers,
                List.of(),
                attention,
                indexer,
                moe,
                new ModelConfig.HyperConnections(4, 20, 1e-6),
                new ModelConfig.Rope(10_000, 160_000, YARN),
                1e-6,
                1 << 20,
                0,
                1,
                false);
    }

    private static LayerKind kind(int ratio) {
        return switch (ratio) {
            case 0 -> LayerKind.SLIDING;
            case 4 -> LayerKind.CSA;
            default -> LayerKind.HCA;
        };
    }

    /// Operations of one token at a position, its head left out: products with weights, attention, index
    /// scores.
    static double operations(ModelConfig config, int position) {
        double operations = 0;
        for (ModelConfig.Layer layer : config.layers()) {
            operations += 2 * layerWeights(config, layer) + attention(config, layer, position);
        }
        return operations;
    }

    /// Weights that a token is multiplied with in a layer.
    private static double layerWeights(ModelConfig config, ModelConfig.Layer layer) {
        ModelConfig.Attention sizes = config.attention();
        double hidden = config.hiddenSize();
        double heads = (double) sizes.numAttentionHeads() * sizes.headDim();
        double attention = hidden * sizes.qLoraRank()
                + sizes.qLoraRank() * heads
                + hidden * sizes.headDim()
                + heads * sizes.oLoraRank()
                + sizes.oGroups() * sizes.oLoraRank() * hidden;
        double sites = 2.0
                * config.hyperConnections().mixes()
                * config.hyperConnections().hcMult()
                * hidden;
        double expert = 3 * hidden * config.moe().moeIntermediateSize();
        double experts = config.moe().nRoutedExperts() * hidden
                + (config.moe().numExpertsPerTok() + config.moe().nSharedExperts()) * expert;
        return attention + sites + experts + compression(config, layer);
    }

    private static double compression(ModelConfig config, ModelConfig.Layer layer) {
        ModelConfig.Indexer indexer = config.indexer();
        double hidden = config.hiddenSize();
        double row = config.attention().headDim();
        return switch (layer.kind()) {
            case SLIDING -> 0;
            case HCA -> 2 * hidden * row;
            case CSA ->
                2 * hidden * 2 * row
                        + config.attention().qLoraRank() * (double) indexer.indexNHeads() * indexer.indexHeadDim()
                        + indexer.indexNHeads() * hidden
                        + 2 * hidden * 2 * indexer.indexHeadDim();
        };
    }

    private static double attention(ModelConfig config, ModelConfig.Layer layer, int position) {
        ModelConfig.Attention sizes = config.attention();
        ModelConfig.Indexer indexer = config.indexer();
        int window = Math.min(position, sizes.slidingWindow());
        double compressed = layer.compressRatio() == 0 ? 0 : (double) position / layer.compressRatio();
        double perRow = 4.0 * sizes.numAttentionHeads() * sizes.headDim();
        return switch (layer.kind()) {
            case SLIDING -> perRow * window;
            case HCA -> perRow * (window + compressed);
            case CSA ->
                perRow * (window + Math.min(compressed, indexer.indexTopk()))
                        + 2.0 * indexer.indexNHeads() * indexer.indexHeadDim() * compressed;
        };
    }
}
