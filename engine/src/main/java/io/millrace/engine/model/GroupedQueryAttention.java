package io.millrace.engine.model;

import io.millrace.engine.cache.KeyValueCache;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.Rotation;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;
import java.util.List;

/// Causal attention in which groups of query heads share a key-value head (Ainslie et al. 2023, "GQA").
final class GroupedQueryAttention {
    private final Kernels kernels;
    private final DecoderConfig config;
    private final int layer;
    private final DecoderWeights.Attention weights;
    private final RotaryPairs pairs;

    GroupedQueryAttention(
            Kernels kernels, DecoderConfig config, int layer, DecoderWeights.Attention weights, RotaryPairs pairs) {
        this.kernels = kernels;
        this.config = config;
        this.layer = layer;
        this.weights = weights;
        this.pairs = pairs;
    }

    /// @param x normed input [rows, D]
    /// @param angles [rows, d / 2, 2]
    /// @return [rows, D]
    Floats apply(Workspace workspace, Floats x, Step step, Floats angles) {
        int rows = step.rows();
        int heads = config.numAttentionHeads();
        int keyValueHeads = config.numKeyValueHeads();
        int dim = config.headDim();
        Floats query = workspace.take(Slot.QUERY, (long) rows * heads * dim);
        Floats key = workspace.take(Slot.KEY, (long) rows * keyValueHeads * dim);
        Floats value = workspace.take(Slot.VALUE, (long) rows * keyValueHeads * dim);
        kernels.matmul(x, rows, weights.q(), query);
        kernels.matmul(x, rows, weights.k(), key);
        kernels.matmul(x, rows, weights.v(), value);
        DecoderWeights.HeadNorms norms = weights.headNorms();
        if (norms != null) {
            kernels.rmsNorm(query, rows * heads, dim, norms.q(), config.rmsNormEps(), query);
            kernels.rmsNorm(key, rows * keyValueHeads, dim, norms.k(), config.rmsNormEps(), key);
        }
        rotate(query, rows, heads, angles);
        rotate(key, rows, keyValueHeads, angles);

        List<CausalSpan> spans = step.spans().stream().map(this::paged).toList();
        kernels.keep(key, value, config.keyValueShape(), spans);
        Floats attended = workspace.take(Slot.ATTENDED, (long) rows * heads * dim);
        kernels.attendCausal(query, heads, config.keyValueShape(), spans, 1 / Math.sqrt(dim), attended);
        Floats out = workspace.take(Slot.SUBLAYER, (long) rows * config.hiddenSize());
        kernels.matmul(attended, rows, weights.o(), out);
        return out;
    }

    private void rotate(Floats x, int rows, int heads, Floats angles) {
        int dim = config.headDim();
        switch (pairs) {
            case HALVES -> kernels.rotateHalves(x, rows, heads, dim, angles);
            case INTERLEAVED -> kernels.rotate(x, rows, heads, dim, angles, dim / 2, Rotation.FORWARD);
        }
    }

    private CausalSpan paged(Step.Span span) {
        List<Floats> pages = ((KeyValueCache) span.cache()).pages(layer, span.rows());
        return new CausalSpan(span.firstRow(), span.rows(), span.startPosition(), pages);
    }
}
