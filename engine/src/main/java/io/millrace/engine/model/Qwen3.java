package io.millrace.engine.model;

import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.cache.KeyValueCache;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.kernel.Kernels.SoftmaxOver;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Qwen3 (Yang et al. 2025, "Qwen3 Technical Report", section 2), dense and mixture of experts: pre-norm
/// layers; grouped-query attention whose every query and key head is normed before it is rotated; SwiGLU
/// units, one a layer or chosen of many by a softmax router.
public final class Qwen3 implements LanguageModel {
    private final Kernels kernels;
    private final Qwen3Config config;
    private final DecoderConfig sizes;
    private final DecoderWeights weights;
    private final DecoderEnds ends;
    private final List<GroupedQueryAttention> attention = new ArrayList<>();
    private final Workspace workspace;
    private final ExpertCounts counts = new ExpertCounts();

    public Qwen3(Kernels kernels, Qwen3Config config, DecoderWeights weights) {
        this.kernels = kernels;
        this.config = config;
        this.sizes = config.decoder();
        this.weights = weights;
        this.ends = new DecoderEnds(kernels, sizes, weights);
        this.workspace = new Workspace(kernels);
        for (DecoderWeights.Layer layer : weights.layers()) {
            if (layer.feedForward() instanceof DecoderWeights.Sparse) {
                counts.add(attention.size(), moe().numExperts());
            }
            attention.add(
                    new GroupedQueryAttention(kernels, sizes, attention.size(), layer.attention(), RotaryPairs.HALVES));
        }
    }

    /// @return [rows, D]
    @Override
    public Floats forward(Step step) {
        Floats x = ends.embed(workspace, step);
        Floats angles = ends.angles(workspace, step);
        for (int i = 0; i < attention.size(); i++) {
            layer(i, x, step, angles);
        }
        step.advance();
        return x;
    }

    /// `x += attention(norm(x)); x += feedForward(norm(x))`
    private void layer(int index, Floats x, Step step, Floats angles) {
        DecoderWeights.Layer layer = weights.layers().get(index);
        int rows = step.rows();
        Floats attended =
                attention.get(index).apply(workspace, ends.norm(workspace, x, rows, layer.attnNorm()), step, angles);
        kernels.add(attended, rows * sizes.hiddenSize(), x);
        Floats normed = ends.norm(workspace, x, rows, layer.ffnNorm());
        switch (layer.feedForward()) {
            case DecoderWeights.Dense dense -> kernels.addSwiglu(normed, rows, dense.unit(), 0, x);
            case DecoderWeights.Sparse sparse ->
                kernels.add(experts(index, normed, rows, sparse), rows * sizes.hiddenSize(), x);
        }
    }

    /// The chosen experts' units, weighted by the router's softmax; no expert is shared.
    private Floats experts(int layer, Floats x, int rows, DecoderWeights.Sparse sparse) {
        Qwen3Config.Moe moe = moe();
        Floats logits = workspace.take(Slot.ROUTER, (long) rows * moe.numExperts());
        kernels.matmul(x, rows, sparse.router(), logits);
        SoftmaxOver over = moe.normTopkProb() ? SoftmaxOver.CHOSEN : SoftmaxOver.ALL;
        Routing routing = kernels.routeSoftmax(logits, rows, moe.numExperts(), moe.numExpertsPerTok(), over);
        counts.count(layer, routing, rows);
        Floats out = workspace.take(Slot.SUBLAYER, (long) rows * sizes.hiddenSize());
        kernels.experts(x, rows, sizes.hiddenSize(), routing, sparse.experts()::expert, 0, out);
        return out;
    }

    private Qwen3Config.Moe moe() {
        return Objects.requireNonNull(config.moe());
    }

    @Override
    public ExpertLoad expertLoad() {
        return counts.load();
    }

    @Override
    public Floats logits(Floats hidden, int[] rows) {
        return ends.logits(workspace, hidden, rows);
    }

    @Override
    public double[] logSumExp(Floats logits, int rows) {
        return kernels.logSumExp(logits, rows, sizes.vocabSize());
    }

    @Override
    public void read(Floats source, int offset, float[] target, int count) {
        kernels.read(source, offset, target, 0, count);
    }

    @Override
    public Qwen3Config config() {
        return config;
    }

    @Override
    public SequenceCache newCache() {
        return new KeyValueCache(kernels, sizes.keyValueShape(), sizes.numHiddenLayers());
    }
}
