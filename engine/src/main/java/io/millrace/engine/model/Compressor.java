package io.millrace.engine.model;

import io.millrace.engine.cache.PooledRows;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.kernel.Kernels.Rotation;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Pools windows of tokens into compressed rows (deepseek-v4.md section 2.7). Runs before the attention of
/// the same tokens: a row whose last token is the query's own is visible to it.
final class Compressor {
    /// What becomes of a row after its rotation.
    interface Rounding {
        void apply(Floats rows, int count);
    }

    private final Kernels kernels;
    private final ModelConfig config;
    private final RotaryEmbedding rotary;
    private final Pooling pooling;
    private final Weights.Compressor weights;
    private final Rounding rounding;

    Compressor(
            Kernels kernels,
            ModelConfig config,
            RotaryEmbedding rotary,
            Pooling pooling,
            Weights.Compressor weights,
            Rounding rounding) {
        this.kernels = kernels;
        this.config = config;
        this.rotary = rotary;
        this.pooling = pooling;
        this.weights = weights;
        this.rounding = rounding;
    }

    /// Takes the step's tokens and appends the rows they complete to each sequence's cache.
    ///
    /// @param x normed input [rows, D]
    void accept(Workspace workspace, Floats x, Step step, Function<Step.Span, PooledRows> cacheOf) {
        long size = (long) step.rows() * pooling.width();
        Floats values = workspace.take(Slot.POOL_VALUES, size);
        Floats scores = workspace.take(Slot.POOL_SCORES, size);
        kernels.matmul(x, step.rows(), weights.wkv(), values);
        kernels.matmul(x, step.rows(), weights.wgate(), scores);

        List<PoolSpan> spans = new ArrayList<>();
        int[] positions = new int[step.rows()];
        int entries = 0;
        for (Step.Span span : step.spans()) {
            PooledRows cache = cacheOf.apply(span);
            cache.take(values, scores, weights.ape(), span.firstRow(), span.rows());
            spans.add(new PoolSpan(
                    span.firstRow(),
                    span.rows(),
                    span.startPosition(),
                    cache.stateValues(),
                    cache.stateScores(),
                    entries));
            for (int i = 0; i < span.completed(pooling.ratio()); i++) {
                // a row is rotated to the first token of its window, also where windows overlap
                positions[entries++] = (cache.size() + i) * pooling.ratio();
            }
        }
        Floats rows = workspace.take(Slot.ENTRIES, (long) Math.max(entries, 1) * pooling.dim());
        kernels.pool(values, scores, weights.ape(), pooling, spans, rows);
        finish(workspace, rows, positions, entries);
        for (int s = 0; s < spans.size(); s++) {
            Step.Span span = step.spans().get(s);
            cacheOf.apply(span).append(rows, spans.get(s).firstEntry(), span.completed(pooling.ratio()));
        }
    }

    private void finish(Workspace workspace, Floats rows, int[] positions, int entries) {
        if (entries == 0) {
            return;
        }
        kernels.rmsNorm(rows, entries, pooling.dim(), weights.norm(), config.rmsNormEps(), rows);
        Floats angles = workspace.take(Slot.ENTRY_ANGLES, (long) entries * 2 * rotary.pairs());
        rotary.angles(kernels, positions, entries, angles);
        kernels.rotate(rows, entries, 1, pooling.dim(), angles, rotary.pairs(), Rotation.FORWARD);
        rounding.apply(rows, entries);
    }
}
