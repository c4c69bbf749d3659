package io.millrace.engine.checkpoint;

import io.millrace.engine.model.DecoderConfig;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Qwen3Config;

/// How many parameters a model has by its configuration. Block scales and the expert tables of hash-routed
/// layers are not counted, as in the published totals.
///
/// @param main all of the model without prediction blocks
/// @param mtp all of the prediction blocks
/// @param active touched per token: all of the main model but the embedding table and the experts not chosen
public record ParameterCount(long main, long mtp, long active) {
    public static ParameterCount of(LanguageModelConfig config) {
        return switch (config) {
            case ModelConfig deepSeek -> of(deepSeek);
            case Qwen3Config qwen3 -> of(qwen3);
            case LlamaConfig llama -> decoder(llama.decoder(), 0, denseUnits(llama.decoder(), llama.numHiddenLayers()));
        };
    }

    private static ParameterCount of(Qwen3Config config) {
        DecoderConfig decoder = config.decoder();
        long headNorms = 2L * decoder.headDim();
        Qwen3Config.Moe moe = config.moe();
        if (moe == null) {
            return decoder(decoder, headNorms, denseUnits(decoder, decoder.numHiddenLayers()));
        }
        long dense = denseUnits(decoder, moe.denseLayers().size());
        long sparseLayers = (long) decoder.numHiddenLayers() - moe.denseLayers().size();
        long expert = 3L * decoder.hiddenSize() * moe.moeIntermediateSize();
        long routers = sparseLayers * moe.numExperts() * decoder.hiddenSize();
        ParameterCount all = decoder(decoder, headNorms, dense + routers + sparseLayers * moe.numExperts() * expert);
        long idle = sparseLayers * (moe.numExperts() - moe.numExpertsPerTok()) * expert;
        return new ParameterCount(all.main, 0, all.active - idle);
    }

    private static long denseUnits(DecoderConfig config, int layers) {
        return 3L * config.hiddenSize() * config.intermediateSize() * layers;
    }

    /// @param extra parameters of a layer's attention beside the four matrices
    /// @param feedForward of all layers
    private static ParameterCount decoder(DecoderConfig config, long extra, long feedForward) {
        long hidden = config.hiddenSize();
        long queries = 2L * config.numAttentionHeads() * config.headDim() * hidden;
        long keysValues = 2L * config.numKeyValueHeads() * config.headDim() * hidden;
        long layers = config.numHiddenLayers() * (queries + keysValues + extra + 2 * hidden);
        long embedding = config.vocabSize() * hidden;
        long active = embedding + layers + feedForward + hidden;
        return new ParameterCount(config.tieWordEmbeddings() ? active : active + embedding, 0, active);
    }

    public static ParameterCount of(ModelConfig config) {
        long head = hyperConnections(config, config.hyperConnections().hcMult(), 1);
        long outside = (long) config.vocabSize() * config.hiddenSize() + config.hiddenSize() + head;
        long main = outside + (long) config.vocabSize() * config.hiddenSize();
        long active = outside;
        for (ModelConfig.Layer layer : config.layers()) {
            main += layer(config, layer, config.moe().nRoutedExperts());
            active += layer(config, layer, config.moe().numExpertsPerTok());
        }
        long mtp = 0;
        for (ModelConfig.Layer layer : config.mtpLayers()) {
            // e_proj, h_proj; enorm, hnorm, norm; a head of its own
            mtp += layer(config, layer, config.moe().nRoutedExperts())
                    + 2L * config.hiddenSize() * config.hiddenSize()
                    + 3L * config.hiddenSize()
                    + head;
        }
        return new ParameterCount(main, mtp, active);
    }

    /// Main model and prediction blocks.
    public long total() {
        return main + mtp;
    }

    private static long layer(ModelConfig config, ModelConfig.Layer layer, int routedExperts) {
        long norms = 2L * config.hiddenSize();
        long sites = 2 * hyperConnections(config, config.hyperConnections().mixes(), 3);
        return norms + sites + attention(config) + compression(config, layer) + moe(config, layer, routedExperts);
    }

    /// fn, base and scale of one site.
    private static long hyperConnections(ModelConfig config, int mixes, int scales) {
        return (long) mixes * config.hyperConnections().hcMult() * config.hiddenSize() + mixes + scales;
    }

    private static long attention(ModelConfig config) {
        ModelConfig.Attention attention = config.attention();
        long hidden = config.hiddenSize();
        long qLora = attention.qLoraRank();
        long heads = (long) attention.numAttentionHeads() * attention.headDim();
        long query = hidden * qLora + qLora + qLora * heads;
        long keyValue = hidden * attention.headDim() + attention.headDim();
        // each group projects its own share of the heads
        long output = attention.oLoraRank() * heads + (long) attention.oGroups() * attention.oLoraRank() * hidden;
        return query + keyValue + output + attention.numAttentionHeads();
    }

    private static long compression(ModelConfig config, ModelConfig.Layer layer) {
        return switch (layer.kind()) {
            case SLIDING -> 0;
            case HCA -> compressor(config, layer, config.attention().headDim());
            case CSA -> {
                ModelConfig.Indexer indexer = config.indexer();
                long queries = (long) config.attention().qLoraRank() * indexer.indexNHeads() * indexer.indexHeadDim();
                long weights = (long) indexer.indexNHeads() * config.hiddenSize();
                yield compressor(config, layer, config.attention().headDim())
                        + compressor(config, layer, indexer.indexHeadDim())
                        + queries
                        + weights;
            }
        };
    }

    private static long compressor(ModelConfig config, ModelConfig.Layer layer, int rowDim) {
        long width = layer.kind() == LayerKind.CSA ? 2L * rowDim : rowDim;
        return 2 * width * config.hiddenSize() + layer.compressRatio() * width + rowDim;
    }

    private static long moe(ModelConfig config, ModelConfig.Layer layer, int routedExperts) {
        ModelConfig.Moe moe = config.moe();
        long expert = 3L * config.hiddenSize() * moe.moeIntermediateSize();
        long router =
                (long) moe.nRoutedExperts() * config.hiddenSize() + (layer.hashRouted() ? 0 : moe.nRoutedExperts());
        return router + expert * (routedExperts + moe.nSharedExperts());
    }
}
