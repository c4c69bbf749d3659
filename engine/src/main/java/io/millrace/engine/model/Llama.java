package io.millrace.engine.model;

import io.millrace.engine.cache.KeyValueCache;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;

/// Llama (Touvron et al. 2023, "LLaMA", section 2.2; Grattafiori et al. 2024, "The Llama 3 Herd of Models",
/// section 3.2): pre-norm layers, grouped-query attention with rotary positions, one SwiGLU unit a layer.
public final class Llama implements LanguageModel {
    private final Kernels kernels;
    private final LlamaConfig config;
    private final DecoderConfig sizes;
    private final DecoderWeights weights;
    private final DecoderEnds ends;
    private final List<GroupedQueryAttention> attention = new ArrayList<>();
    private final Workspace workspace;

    public Llama(Kernels kernels, LlamaConfig config, DecoderWeights weights) {
        this.kernels = kernels;
        this.config = config;
        this.sizes = config.decoder();
        this.weights = weights;
        this.ends = new DecoderEnds(kernels, sizes, weights);
        this.workspace = new Workspace(kernels);
        for (DecoderWeights.Layer layer : weights.layers()) {
            attention.add(
                    new GroupedQueryAttention(kernels, sizes, attention.size(), layer.attention(), config.pairs()));
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

    /// `x += attention(norm(x)); x += swiglu(norm(x))`
    private void layer(int index, Floats x, Step step, Floats angles) {
        DecoderWeights.Layer layer = weights.layers().get(index);
        int rows = step.rows();
        Floats attended =
                attention.get(index).apply(workspace, ends.norm(workspace, x, rows, layer.attnNorm()), step, angles);
        kernels.add(attended, rows * sizes.hiddenSize(), x);
        kernels.addSwiglu(ends.norm(workspace, x, rows, layer.ffnNorm()), rows, layer.unit(), 0, x);
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
    public LlamaConfig config() {
        return config;
    }

    @Override
    public SequenceCache newCache() {
        return new KeyValueCache(kernels, sizes.keyValueShape(), sizes.numHiddenLayers());
    }
}
