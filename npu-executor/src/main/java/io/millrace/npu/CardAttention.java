package io.millrace.npu;

import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.tensor.Floats;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Attention and the indexer, span by span, composed of products and a softmax. CANN's SparseFlashMla and
/// LightningIndexerV2 take BF16, heads of 512 and 128 and caches in blocks of their own;
/// FusedInferAttentionScore has no sink before V4 and takes 16 bits too.
final class CardAttention {
    private static final float UNSEEN = Float.NEGATIVE_INFINITY;

    private final CardMath math;

    CardAttention(CardMath math) {
        this.math = math;
    }

    /// See {@link io.millrace.engine.kernel.Kernels#attend}. The sink is one more score behind the keys',
    /// whose value is nothing.
    void attend(
            Floats q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            Floats sink,
            double scale,
            Floats out) {
        for (WindowSpan span : spans) {
            try (Scratch scratch = math.scratch()) {
                Tensor keys = keys(scratch, span, keyValue, dim);
                float @Nullable [] mask = mask(span, chosen, keys.dims()[0]);
                attend(scratch, q, keys, mask, heads, dim, span.pooled(), sink, scale, out);
            }
        }
    }

    private void attend(
            Scratch scratch,
            Floats q,
            Tensor keys,
            float @Nullable [] mask,
            int heads,
            int dim,
            PooledSpan span,
            Floats sink,
            double scale,
            Floats out) {
        long count = keys.dims()[0];
        long rows = span.rows();
        long queries = rows * heads;
        long first = (long) span.firstRow() * heads * dim;
        Tensor products = scratch.floats(queries, count);
        math.matmul(math.floats(q).at(first, queries, dim), keys.swapped(0, 1), products);
        Tensor scores = scratch.floats(queries, count + 1);
        math.scale(products, scale, scores.part(1, 0, count));
        Tensor byRow = scores.shaped(rows, heads, count + 1);
        if (mask != null) {
            Tensor seen = byRow.part(2, 0, count);
            math.add(seen, math.uploaded(scratch, mask, rows, 1, count), seen);
        }
        math.copy(math.tensor(sink, heads, 1), byRow.part(2, count, 1));
        Tensor shares = scratch.floats(queries, count + 1);
        math.softmax(scores, 1, shares);
        math.matmul(shares.part(1, 0, count), keys, math.floats(out).at(first, queries, dim));
    }

    /// All keys that any row of the span may see: the window before it, oldest first, its own, the pooled
    /// rows.
    private Tensor keys(Scratch scratch, WindowSpan span, Floats keyValue, int dim) {
        PooledSpan pooled = span.pooled();
        int before = pooled.startPosition() - span.oldest(0);
        int pooledRows = pooled.pooled(pooled.rows() - 1);
        Tensor keys = scratch.floats((long) before + pooled.rows() + pooledRows, dim);
        Tensor window = math.tensor(span.window(), span.size(), dim);
        int at = 0;
        for (int p = span.oldest(0); p < pooled.startPosition(); ) {
            int place = p % span.size();
            int run = Math.min(pooled.startPosition() - p, span.size() - place);
            math.copyFloats(window, (long) place * dim, keys, (long) at * dim, (long) run * dim);
            p += run;
            at += run;
        }
        Tensor own = math.tensor(keyValue, pooled.firstRow() + pooled.rows(), dim);
        math.copyFloats(own, (long) pooled.firstRow() * dim, keys, (long) at * dim, (long) pooled.rows() * dim);
        copyPages(pooled, pooledRows, dim, keys, at + pooled.rows());
        return keys;
    }

    private void copyPages(PooledSpan span, int count, int dim, Tensor keys, int at) {
        int done = 0;
        for (Floats page : span.pages()) {
            int rows = Math.min(count - done, page.size() / dim);
            if (rows <= 0) {
                return;
            }
            math.copyFloats(math.tensor(page, rows, dim), 0, keys, (long) (at + done) * dim, (long) rows * dim);
            done += rows;
        }
    }

    /// What is added to the scores [rows, keys]; null if every row sees all.
    private static float @Nullable [] mask(WindowSpan span, int @Nullable [][] chosen, long keyCount) {
        PooledSpan pooled = span.pooled();
        int rows = pooled.rows();
        int keys = Math.toIntExact(keyCount);
        int oldest = span.oldest(0);
        int firstPooled = pooled.startPosition() - oldest + rows;
        float[] mask = new float[rows * keys];
        boolean all = true;
        for (int i = 0; i < rows; i++) {
            int position = pooled.startPosition() + i;
            float[] row = new float[keys];
            Arrays.fill(row, UNSEEN);
            Arrays.fill(row, span.oldest(i) - oldest, position - oldest + 1, 0);
            int[] places = chosen == null ? null : chosen[pooled.firstRow() + i];
            if (places == null) {
                Arrays.fill(row, firstPooled, firstPooled + pooled.pooled(i), 0);
            } else {
                for (int place : places) {
                    row[firstPooled + place] = 0;
                }
            }
            System.arraycopy(row, 0, mask, i * keys, keys);
            all &= span.oldest(i) == oldest
                    && position - oldest + 1 == firstPooled
                    && (places == null ? pooled.pooled(i) : places.length) == keys - firstPooled;
        }
        return all ? null : mask;
    }

    /// See {@link io.millrace.engine.kernel.Kernels#indexTopK}. Only spans that have more rows than are
    /// wanted are scored; the chosen places are what the host needs to know of them. A stable sort, since
    /// Topk leaves open which of equal scores it takes.
    int[][] indexTopK(Floats q, Floats headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        int[][] chosen = new int[spans.stream().mapToInt(PooledSpan::rows).sum()][];
        for (PooledSpan span : spans) {
            int count = span.pooled(span.rows() - 1);
            int[] places = count > topK ? places(q, headWeights, heads, dim, span, count, topK) : new int[0];
            for (int i = 0; i < span.rows(); i++) {
                chosen[span.firstRow() + i] = chosen(places, i, span.pooled(i), topK);
            }
        }
        return chosen;
    }

    private static int[] chosen(int[] places, int row, int visible, int topK) {
        int[] chosen = new int[Math.min(visible, topK)];
        if (visible <= topK) {
            Arrays.setAll(chosen, j -> j);
        } else {
            System.arraycopy(places, row * topK, chosen, 0, topK);
            Arrays.sort(chosen);
        }
        return chosen;
    }

    /// The places of the largest scores [rows, topK].
    private int[] places(Floats q, Floats headWeights, int heads, int dim, PooledSpan span, int count, int topK) {
        long rows = span.rows();
        try (Scratch scratch = math.scratch()) {
            Tensor keys = scratch.floats(count, dim);
            copyPages(span, count, dim, keys, 0);
            Tensor products = scratch.floats(rows * heads, count);
            Tensor queries = math.floats(q).at((long) span.firstRow() * heads * dim, rows * heads, dim);
            math.matmul(queries, keys.swapped(0, 1), products);
            math.clamp(products, 0.0, null, products);
            Tensor weights = math.floats(headWeights).at((long) span.firstRow() * heads, rows, 1, heads);
            Tensor scores = scratch.floats(rows, 1, count);
            math.batchMatmul(weights, products.shaped(rows, heads, count), scores);
            Tensor flat = scores.shaped(rows, count);
            math.add(flat, math.uploaded(scratch, unseen(span, count), rows, count), flat);
            Tensor sorted = scratch.floats(rows, count);
            Tensor order = scratch.tensor(AclType.INT64, rows, count);
            math.sort(flat, 1, true, sorted, order);
            Tensor first = scratch.tensor(AclType.INT32, rows, topK);
            math.cast(order.part(1, 0, topK), first);
            return math.transfers.ints(first.address(), Math.toIntExact(rows * topK));
        }
    }

    private static float[] unseen(PooledSpan span, int count) {
        float[] mask = new float[span.rows() * count];
        for (int i = 0; i < span.rows(); i++) {
            Arrays.fill(mask, i * count + span.pooled(i), (i + 1) * count, UNSEEN);
        }
        return mask;
    }

    /// A page is [2, PAGE_ROWS, heads, dim]: keys, then values.
    void keep(Floats keys, Floats values, KeyValueShape shape, List<CausalSpan> spans) {
        long width = (long) shape.heads() * shape.dim();
        for (CausalSpan span : spans) {
            for (int i = 0; i < span.rows(); ) {
                int position = span.startPosition() + i;
                int place = position % KeyValueShape.PAGE_ROWS;
                int run = Math.min(span.rows() - i, KeyValueShape.PAGE_ROWS - place);
                NpuFloats page = math.floats(span.pages().get(position / KeyValueShape.PAGE_ROWS));
                Tensor target = page.tensor(page.size());
                long from = (span.firstRow() + i) * width;
                math.copyFloats(math.tensor(keys, from + run * width), from, target, place * width, run * width);
                math.copyFloats(
                        math.tensor(values, from + run * width),
                        from,
                        target,
                        (KeyValueShape.PAGE_ROWS + place) * width,
                        run * width);
                i += run;
            }
        }
    }

    /// See {@link io.millrace.engine.kernel.Kernels#attendCausal}: one product per key-value head, with the
    /// heads that share it as its rows.
    void attendCausal(Floats q, int heads, KeyValueShape shape, List<CausalSpan> spans, double scale, Floats out) {
        for (CausalSpan span : spans) {
            attendCausal(q, heads, shape, span, scale, out);
        }
    }

    private void attendCausal(Floats q, int heads, KeyValueShape shape, CausalSpan span, double scale, Floats out) {
        long rows = span.rows();
        long count = (long) span.startPosition() + rows;
        long shared = shape.heads();
        long group = heads / shared;
        long dim = shape.dim();
        long first = (long) span.firstRow() * heads * dim;
        try (Scratch scratch = math.scratch()) {
            Tensor keys = history(scratch, span, shape, 0, count);
            Tensor values = history(scratch, span, shape, 1, count);
            Tensor queries = scratch.floats(shared, rows, group, dim);
            Tensor byHead = math.floats(q).at(first, rows, shared, group, dim).swapped(0, 1);
            math.copy(byHead, queries);
            Tensor products = scratch.floats(shared, rows * group, count);
            math.batchMatmul(
                    queries.shaped(shared, rows * group, dim),
                    keys.swapped(0, 1).swapped(1, 2),
                    products);
            math.scale(products, scale, products);
            if (rows > 1) {
                Tensor seen = products.shaped(shared, rows, group, count);
                math.add(seen, math.uploaded(scratch, later(span), 1, rows, 1, count), seen);
            }
            Tensor shares = scratch.floats(shared, rows * group, count);
            math.softmax(products, 2, shares);
            Tensor attended = scratch.floats(shared, rows * group, dim);
            math.batchMatmul(shares, values.swapped(0, 1), attended);
            Tensor target = math.floats(out).at(first, rows, shared, group, dim).swapped(0, 1);
            math.copy(attended.shaped(shared, rows, group, dim), target);
        }
    }

    /// Keys or values of all positions: [count, heads, dim].
    private Tensor history(Scratch scratch, CausalSpan span, KeyValueShape shape, int half, long count) {
        long width = (long) shape.heads() * shape.dim();
        Tensor all = scratch.floats(count, shape.heads(), shape.dim());
        for (int page = 0; (long) page * KeyValueShape.PAGE_ROWS < count; page++) {
            long done = (long) page * KeyValueShape.PAGE_ROWS;
            long rows = Math.min(count - done, KeyValueShape.PAGE_ROWS);
            NpuFloats from = math.floats(span.pages().get(page));
            math.copyFloats(
                    from.tensor(from.size()),
                    (long) half * KeyValueShape.PAGE_ROWS * width,
                    all,
                    done * width,
                    rows * width);
        }
        return all;
    }

    private static float[] later(CausalSpan span) {
        int count = span.startPosition() + span.rows();
        float[] mask = new float[span.rows() * count];
        for (int i = 0; i < span.rows(); i++) {
            Arrays.fill(mask, i * count + span.startPosition() + i + 1, (i + 1) * count, UNSEEN);
        }
        return mask;
    }
}
