package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.tensor.Floats;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Attention in float by the Vector API.
final class VectorAttention implements AttentionKernels {
    /// Rows whose keys and values one item keeps.
    private static final int KEEP_ROWS = 16;

    private final Own[] workers;

    /// One worker's memory.
    private static final class Own {
        final KeyList keys = new KeyList();
        final AttentionRow row = new AttentionRow();
        final CausalAttention causal = new CausalAttention();
        final TopKSelect topK = new TopKSelect();
    }

    VectorAttention(int threads) {
        workers = new Own[threads];
        Arrays.setAll(workers, i -> new Own());
    }

    @Override
    public int[][] indexTopK(
            WorkerPool pool, float[] q, float[] headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        int[][] chosen = new int[spans.stream().mapToInt(PooledSpan::rows).sum()][];
        for (PooledSpan span : spans) {
            pool.forEach(span.rows(), (i, worker) -> {
                Own own = workers[worker];
                int row = span.firstRow() + i;
                int count = span.pooled(i);
                if (count <= topK) {
                    chosen[row] = TopK.all(count);
                } else {
                    own.keys.pooled(span, count, dim);
                    float[] scores = own.row.indexScores(q, headWeights, row, heads, dim, own.keys);
                    chosen[row] = own.topK.places(scores, 0, count, topK);
                }
            });
        }
        return chosen;
    }

    @Override
    public void attend(
            WorkerPool pool,
            float[] q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            float[] sink,
            float scale,
            float[] out) {
        List<QueryBlock> blocks = QueryBlock.of(spans, chosen, 1);
        pool.forEach(blocks.size(), (b, worker) -> {
            Own own = workers[worker];
            own.keys.of(blocks.get(b), keyValue, dim, 1);
            own.row.attend(q, blocks.get(b).row(0), heads, dim, own.keys, sink, scale, out);
        });
    }

    @Override
    public void keep(WorkerPool pool, float[] keys, float[] values, KeyValueShape shape, List<CausalSpan> spans) {
        List<CausalAttention.Block> blocks = CausalAttention.blocks(spans, KEEP_ROWS);
        pool.forEach(blocks.size(), (b, worker) -> CausalAttention.keep(keys, values, shape, blocks.get(b)));
    }

    @Override
    public void attendCausal(
            WorkerPool pool,
            float[] q,
            int heads,
            KeyValueShape shape,
            List<CausalSpan> spans,
            float scale,
            float[] out) {
        int groups = shape.heads();
        List<CausalAttention.Block> blocks =
                CausalAttention.blocks(spans, Math.max(1, CausalAttention.BLOCK_HEADS * groups / heads));
        pool.forEach(
                blocks.size() * groups,
                (item, worker) -> workers[worker].causal.attend(
                        q, heads, shape, blocks.get(item / groups), item % groups, scale, out));
    }
}
