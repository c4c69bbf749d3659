package io.millrace.engine.model;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// One layer: collapse, norm, attention, expand; collapse, norm, experts, expand (deepseek-v4.md section
/// 2.1).
final class Block {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights.Layer weights;
    private final HyperConnections streams;
    private final Attention attention;
    private final MoeLayer moe;

    Block(
            Kernels kernels,
            ModelConfig config,
            Weights.Layer weights,
            int cacheIndex,
            RotaryEmbedding rotary,
            CacheRounding rounding,
            ExpertCounts experts) {
        this.kernels = kernels;
        this.config = config;
        this.weights = weights;
        this.streams = new HyperConnections(kernels, config);
        this.attention =
                new Attention(kernels, config, weights.config(), cacheIndex, weights.attention(), rotary, rounding);
        this.moe = new MoeLayer(kernels, config, weights.moe(), weights.config().index(), experts);
    }

    /// @param x streams [rows, n, D], updated in place
    void apply(Workspace workspace, Floats x, Step step, Floats angles, LayerTrace trace) {
        int rows = step.rows();
        Floats attnIn = streams.collapse(workspace, x, rows, weights.hcAttn());
        Floats attended = attention.apply(workspace, norm(workspace, attnIn, rows, weights.attnNorm()), step, angles);
        trace.attention(weights.config().index(), attended);
        streams.expand(workspace, attended, x, rows);

        Floats ffnIn = streams.collapse(workspace, x, rows, weights.hcFfn());
        Floats mixed = moe.apply(workspace, norm(workspace, ffnIn, rows, weights.ffnNorm()), step);
        trace.experts(weights.config().index(), mixed);
        streams.expand(workspace, mixed, x, rows);
        trace.layer(weights.config().index(), x);
    }

    private Floats norm(Workspace workspace, Floats x, int rows, Floats weight) {
        Floats normed = workspace.take(Slot.NORMED, (long) rows * config.hiddenSize());
        kernels.rmsNorm(x, rows, config.hiddenSize(), weight, config.rmsNormEps(), normed);
        return normed;
    }
}
