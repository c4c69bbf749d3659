package io.millrace.engine.model;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.cache.CacheShape;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.cache.LayerCache;
import io.millrace.engine.cache.PooledRows;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.Rotation;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The attention half of a layer (deepseek-v4.md sections 2.5 to 2.8). One vector is key and value, shared
/// by all heads; a query sees the sliding window and, by the layer's kind, compressed rows.
final class Attention {
    private static final int FP8_BLOCK = 64;
    private static final int FP4_BLOCK = 32;

    private final Kernels kernels;
    private final ModelConfig config;
    private final ModelConfig.Layer layer;
    private final int cacheIndex;
    private final Weights.Attention weights;
    private final RotaryEmbedding rotary;
    private final boolean rounded;
    private final @Nullable Compressor compressor;
    private final @Nullable Compressor indexCompressor;

    /// @param cacheIndex the layer's place in a sequence's cache
    /// @param rounding ON or OFF
    Attention(
            Kernels kernels,
            ModelConfig config,
            ModelConfig.Layer layer,
            int cacheIndex,
            Weights.Attention weights,
            RotaryEmbedding rotary,
            CacheRounding rounding) {
        this.kernels = kernels;
        this.config = config;
        this.layer = layer;
        this.cacheIndex = cacheIndex;
        this.weights = weights;
        this.rotary = rotary;
        this.rounded = rounding == CacheRounding.ON;
        CacheShape.Layer shape = Caches.layer(config, layer);
        this.compressor = weights.compressor() == null
                ? null
                : new Compressor(kernels, config, rotary, shape.main(), weights.compressor(), this::roundKeyValues);
        this.indexCompressor = weights.indexer() == null
                ? null
                : new Compressor(
                        kernels,
                        config,
                        rotary,
                        shape.index(),
                        weights.indexer().compressor(),
                        this::roundIndexRows);
    }

    /// @param x normed input [rows, D]
    /// @param angles of the rows' positions in this layer's rotation
    /// @return [rows, D]
    Floats apply(Workspace workspace, Floats x, Step step, Floats angles) {
        int rows = step.rows();
        Floats qLora = queryLora(workspace, x, rows);
        Floats query = query(workspace, qLora, rows, angles);
        Floats keyValue = keyValue(workspace, x, rows, angles);
        if (compressor != null) {
            compressor.accept(workspace, x, step, span -> cache(span).main());
        }
        int @Nullable [][] chosen = weights.indexer() == null ? null : choose(workspace, x, qLora, step, angles);

        ModelConfig.Attention shape = config.attention();
        int heads = shape.numAttentionHeads();
        Floats attended = workspace.take(Slot.ATTENDED, (long) rows * heads * shape.headDim());
        kernels.attend(
                query,
                keyValue,
                heads,
                shape.headDim(),
                step.spans().stream().map(this::windowed).toList(),
                chosen,
                weights.sink(),
                1 / Math.sqrt(shape.headDim()),
                attended);
        // values carry the rotation of their own position: undo it up to the relative one
        kernels.rotate(attended, rows, heads, shape.headDim(), angles, rotary.pairs(), Rotation.INVERSE);
        for (Step.Span span : step.spans()) {
            cache(span).remember(keyValue, span.firstRow(), span.rows(), span.startPosition());
        }
        return project(workspace, attended, rows);
    }

    private LayerCache cache(Step.Span span) {
        return ((CompressedCache) span.cache()).layer(cacheIndex);
    }

    private Floats queryLora(Workspace workspace, Floats x, int rows) {
        int rank = config.attention().qLoraRank();
        Floats qLora = workspace.take(Slot.Q_LORA, (long) rows * rank);
        kernels.matmul(x, rows, weights.wqA(), qLora);
        kernels.rmsNorm(qLora, rows, rank, weights.qNorm(), config.rmsNormEps(), qLora);
        return qLora;
    }

    private Floats query(Workspace workspace, Floats qLora, int rows, Floats angles) {
        int heads = config.attention().numAttentionHeads();
        int dim = config.attention().headDim();
        Floats query = workspace.take(Slot.QUERY, (long) rows * heads * dim);
        kernels.matmul(qLora, rows, weights.wqB(), query);
        kernels.rmsNorm(query, rows * heads, dim, null, config.rmsNormEps(), query);
        kernels.rotate(query, rows, heads, dim, angles, rotary.pairs(), Rotation.FORWARD);
        return query;
    }

    private Floats keyValue(Workspace workspace, Floats x, int rows, Floats angles) {
        int dim = config.attention().headDim();
        Floats keyValue = workspace.take(Slot.KEY_VALUE, (long) rows * dim);
        kernels.matmul(x, rows, weights.wkv(), keyValue);
        kernels.rmsNorm(keyValue, rows, dim, weights.kvNorm(), config.rmsNormEps(), keyValue);
        kernels.rotate(keyValue, rows, 1, dim, angles, rotary.pairs(), Rotation.FORWARD);
        roundKeyValues(keyValue, rows);
        return keyValue;
    }

    private void roundKeyValues(Floats rows, int count) {
        if (rounded) {
            int dim = config.attention().headDim();
            kernels.roundFp8(rows, count, dim, dim - config.attention().qkRopeHeadDim(), FP8_BLOCK);
        }
    }

    private void roundIndexRows(Floats rows, int count) {
        if (rounded) {
            kernels.hadamardRoundFp4(rows, count, config.indexer().indexHeadDim(), FP4_BLOCK);
        }
    }

    /// For each row the compressed rows that the indexer picks.
    private int[][] choose(Workspace workspace, Floats x, Floats qLora, Step step, Floats angles) {
        Weights.Indexer indexer = Objects.requireNonNull(weights.indexer());
        Objects.requireNonNull(indexCompressor)
                .accept(workspace, x, step, span -> cache(span).index());
        int rows = step.rows();
        int heads = config.indexer().indexNHeads();
        int dim = config.indexer().indexHeadDim();
        Floats query = workspace.take(Slot.INDEX_QUERY, (long) rows * heads * dim);
        kernels.matmul(qLora, rows, indexer.wqB(), query);
        kernels.rotate(query, rows, heads, dim, angles, rotary.pairs(), Rotation.FORWARD);
        roundIndexRows(query, rows * heads);
        // a positive factor common to all heads does not change which rows are largest
        Floats headWeights = workspace.take(Slot.INDEX_WEIGHTS, (long) rows * heads);
        kernels.matmul(x, rows, indexer.weightsProj(), headWeights);
        return kernels.indexTopK(
                query,
                headWeights,
                heads,
                dim,
                step.spans().stream()
                        .map(span -> pooled(span, cache(span).index()))
                        .toList(),
                config.indexer().indexTopk());
    }

    private PooledSpan pooled(Step.Span span, PooledRows rows) {
        int ratio = layer.kind() == LayerKind.SLIDING ? 0 : layer.compressRatio();
        return new PooledSpan(span.firstRow(), span.rows(), span.startPosition(), rows.pages(), ratio);
    }

    private WindowSpan windowed(Step.Span span) {
        LayerCache cache = cache(span);
        return new WindowSpan(
                pooled(span, cache.main()), cache.window(), config.attention().slidingWindow());
    }

    /// The grouped output projection.
    private Floats project(Workspace workspace, Floats attended, int rows) {
        int groups = config.attention().oGroups();
        Floats grouped = workspace.take(
                Slot.GROUPED, (long) rows * groups * config.attention().oLoraRank());
        kernels.groupedMatmul(attended, rows, weights.woA(), groups, grouped);
        Floats out = workspace.take(Slot.SUBLAYER, (long) rows * config.hiddenSize());
        kernels.matmul(grouped, rows, weights.woB(), out);
        return out;
    }
}
