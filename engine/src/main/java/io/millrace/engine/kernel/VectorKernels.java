package io.millrace.engine.kernel;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// The fast rings on host memory, on a fixed pool of threads: products by {@link MatrixProducts} and
/// attention by {@link AttentionKernels}, the Vector API's or compiled ones; everything else vector code
/// for one row or a few, shared out by rows.
final class VectorKernels implements Kernels {
    /// Rows of a small operation that one item takes, so that sharing out costs little beside the work.
    private static final int GRAIN = 16;

    /// Floats of an elementwise operation that one item takes.
    private static final int CHUNK = 1 << 15;

    private final WorkerPool pool;
    private final Scratch[] scratch;
    private final MatrixProducts products;
    private final AttentionKernels attention;
    private final String reason;

    // what an operation shares among the workers, kept for the next one: there is one caller at a time
    private float[] parts = new float[0];
    private float[] gate = new float[0];
    private float[] up = new float[0];
    private float[] down = new float[0];

    /// One worker's memory.
    private static final class Scratch {
        final RowDecoder rowDecoder = new RowDecoder();
        final LaneSums sums = new LaneSums();
        final HyperMath hyper = new HyperMath();
        final WindowPool.Scratch window = new WindowPool.Scratch();
        final TopKSelect topK = new TopKSelect();
        float[] scores = new float[0];
        float[] gathered = new float[0];
        float[] gate = new float[0];
        float[] up = new float[0];
        float[] out = new float[0];
    }

    /// The work on rows `from` to `to`.
    private interface RowRange {
        void run(int from, int to, int worker);
    }

    VectorKernels(int threads, String reason) {
        this(threads, new PanelProducts(threads), new VectorAttention(threads), reason);
    }

    VectorKernels(int threads, MatrixProducts products, AttentionKernels attention, String reason) {
        this.pool = new WorkerPool(threads);
        this.products = products;
        this.scratch = new Scratch[threads];
        Arrays.setAll(scratch, i -> new Scratch());
        this.attention = attention;
        this.reason = reason;
    }

    @Override
    public String description() {
        return products.description() + ", " + pool.size() + " threads (" + reason + ")";
    }

    @Override
    public Floats allocate(int size) {
        return HostFloats.allocate(size);
    }

    @Override
    public Floats upload(float[] values) {
        return new HostFloats(values.clone());
    }

    @Override
    public Floats upload(double[] values) {
        HostFloats copy = HostFloats.allocate(values.length);
        for (int i = 0; i < values.length; i++) {
            copy.array()[i] = (float) values[i];
        }
        return copy;
    }

    @Override
    public void read(Floats source, int sourceOffset, float[] target, int targetOffset, int count) {
        System.arraycopy(array(source), sourceOffset, target, targetOffset, count);
    }

    @Override
    public void copy(Floats source, int sourceOffset, Floats target, int targetOffset, int count) {
        System.arraycopy(array(source), sourceOffset, array(target), targetOffset, count);
    }

    @Override
    public void embed(Matrix embed, int[] tokens, int rows, int copies, Floats out) {
        int dim = embed.cols();
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                int first = r * copies * dim;
                scratch[worker].rowDecoder.decode(embed, tokens[r], array(out), first);
                for (int c = 1; c < copies; c++) {
                    System.arraycopy(array(out), first, array(out), first + c * dim, dim);
                }
            }
        });
    }

    @Override
    public void matmul(Floats x, int rows, Matrix w, Floats y) {
        groupedMatmul(x, rows, w, 1, y);
    }

    private void forRows(int rows, RowRange body) {
        int grain = Math.clamp(rows / (4L * pool.size()), 1, GRAIN);
        pool.forEach(
                Math.ceilDiv(rows, grain),
                (item, worker) -> body.run(item * grain, Math.min(rows, (item + 1) * grain), worker));
    }

    @Override
    public void groupedMatmul(Floats x, int rows, Matrix w, int groups, Floats y) {
        products.shared(pool, array(x), rows, w, groups, array(y));
    }

    @Override
    public void rmsNorm(Floats x, int rows, int dim, @Nullable Floats weight, double eps, Floats y) {
        float[] w = weight == null ? null : array(weight);
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                VectorRows.rmsNorm(array(x), r * dim, dim, w, eps, array(y), r * dim, scratch[worker].sums);
            }
        });
    }

    @Override
    public void rotate(Floats x, int rows, int heads, int dim, Floats angles, int pairs, Rotation rotation) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                VectorRows.rotate(array(x), r * heads * dim, heads, dim, array(angles), r * 2 * pairs, pairs, rotation);
            }
        });
    }

    @Override
    public void roundFp8(Floats x, int rows, int dim, int length, int block) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                VectorRounding.fp8RoundTrip(array(x), r * dim, length, block);
            }
        });
    }

    @Override
    public void hadamardRoundFp4(Floats x, int rows, int dim, int block) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                VectorRounding.hadamard(array(x), r * dim, dim);
                VectorRounding.fp4RoundTrip(array(x), r * dim, dim, block);
            }
        });
    }

    @Override
    public void hyperMix(
            Floats streams, int rows, int dim, HyperSite site, Floats collapsed, Floats post, Floats combine) {
        forBlocks(
                rows,
                (from, to, worker) -> scratch[worker].hyper.mix(
                        array(streams), from, to, dim, site, array(collapsed), array(post), array(combine)));
    }

    @Override
    public void hyperCollapse(Floats streams, int rows, int dim, HyperSite site, Floats collapsed) {
        forBlocks(
                rows,
                (from, to, worker) ->
                        scratch[worker].hyper.collapse(array(streams), from, to, dim, site, array(collapsed)));
    }

    private void forBlocks(int rows, RowRange body) {
        pool.forEach(Math.ceilDiv(rows, HyperMath.ROWS), (item, worker) -> {
            int from = item * HyperMath.ROWS;
            body.run(from, Math.min(rows, from + HyperMath.ROWS), worker);
        });
    }

    @Override
    public void hyperExpand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Floats streams) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                scratch[worker].hyper.expand(array(y), array(post), array(combine), r, n, dim, array(streams));
            }
        });
    }

    @Override
    public void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out) {
        WindowPool[] windows = new WindowPool[spans.size()];
        int[] firstItem = new int[spans.size() + 1];
        for (int s = 0; s < windows.length; s++) {
            PoolSpan span = spans.get(s);
            windows[s] = new WindowPool(
                    shape,
                    span,
                    array(values),
                    array(scores),
                    array(ape),
                    array(span.stateValues()),
                    array(span.stateScores()));
            firstItem[s + 1] = firstItem[s] + windows[s].entries();
        }
        pool.forEach(firstItem[windows.length], (item, worker) -> {
            // the last span that starts at or before the item: spans without entries start where the next does
            int s = windows.length - 1;
            while (firstItem[s] > item) {
                s--;
            }
            windows[s].pool(item - firstItem[s], array(out), scratch[worker].window);
        });
        pool.forEach(windows.length, (s, worker) -> windows[s].advance());
    }

    @Override
    public int[][] indexTopK(Floats q, Floats headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        return attention.indexTopK(pool, array(q), array(headWeights), heads, dim, spans, topK);
    }

    @Override
    public void attend(
            Floats q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            Floats sink,
            double scale,
            Floats out) {
        attention.attend(pool, array(q), keyValue, heads, dim, spans, chosen, array(sink), (float) scale, array(out));
    }

    @Override
    public void experts(
            Floats x, int rows, int dim, Routing routing, IntFunction<Swiglu> experts, double limit, Floats y) {
        ExpertGroups groups = ExpertGroups.of(routing, rows);
        int topK = routing.topK();
        parts = FloatArrays.grown(parts, rows * topK * dim);
        int[][] places = places(groups, rows, topK);
        pool.forEach(groups.size(), (g, worker) -> {
            Scratch own = scratch[worker];
            int[] members = groups.rows(g);
            expert(array(x), members, dim, experts.apply(groups.expert(g)), groups.weights(g), limit, worker);
            for (int i = 0; i < members.length; i++) {
                System.arraycopy(own.out, i * dim, parts, places[g][i] * dim, dim);
            }
        });
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                System.arraycopy(parts, r * topK * dim, array(y), r * dim, dim);
                for (int slot = 1; slot < topK; slot++) {
                    VectorRows.add(parts, (r * topK + slot) * dim, dim, array(y), r * dim);
                }
            }
        });
    }

    /// Where each group's rows leave their results: a row's results stand in the order of its experts'
    /// indices.
    private static int[][] places(ExpertGroups groups, int rows, int topK) {
        int[] seen = new int[rows];
        int[][] places = new int[groups.size()][];
        for (int g = 0; g < places.length; g++) {
            int[] members = groups.rows(g);
            places[g] = new int[members.length];
            for (int i = 0; i < members.length; i++) {
                places[g][i] = members[i] * topK + seen[members[i]]++;
            }
        }
        return places;
    }

    /// One expert on its rows, all on one worker: `own.out` [members, dim].
    private void expert(float[] x, int[] members, int dim, Swiglu expert, float[] weights, double limit, int worker) {
        Scratch own = scratch[worker];
        int rows = members.length;
        int inner = expert.gate().rows();
        own.gathered = FloatArrays.grown(own.gathered, rows * dim);
        own.gate = FloatArrays.grown(own.gate, rows * inner);
        own.up = FloatArrays.grown(own.up, rows * inner);
        own.out = FloatArrays.grown(own.out, rows * dim);
        for (int i = 0; i < rows; i++) {
            System.arraycopy(x, members[i] * dim, own.gathered, i * dim, dim);
        }
        Matrix[] gateAndUp = {expert.gate(), expert.up()};
        products.onWorker(worker, own.gathered, rows, gateAndUp, new float[][] {own.gate, own.up});
        for (int r = 0; r < rows; r++) {
            VectorRows.swiglu(own.gate, own.up, r * inner, inner, limit, weights[r]);
        }
        products.onWorker(worker, own.gate, rows, new Matrix[] {expert.down()}, new float[][] {own.out});
    }

    @Override
    public void addSwiglu(Floats x, int rows, Swiglu expert, double limit, Floats y) {
        int inner = expert.gate().rows();
        int dim = expert.down().rows();
        gate = FloatArrays.grown(gate, rows * inner);
        up = FloatArrays.grown(up, rows * inner);
        down = FloatArrays.grown(down, rows * dim);
        Floats activation = new HostFloats(gate);
        matmul(x, rows, expert.gate(), activation);
        matmul(x, rows, expert.up(), new HostFloats(up));
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                VectorRows.swiglu(gate, up, r * inner, inner, limit, 1);
            }
        });
        Floats out = new HostFloats(down);
        matmul(activation, rows, expert.down(), out);
        add(out, rows * dim, y);
    }

    @Override
    public void rotateHalves(Floats x, int rows, int heads, int dim, Floats angles) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                Scalar.rotateHalves(array(x), r * heads * dim, heads, dim, array(angles), r * dim);
            }
        });
    }

    @Override
    public void keep(Floats keys, Floats values, KeyValueShape shape, List<CausalSpan> spans) {
        attention.keep(pool, array(keys), array(values), shape, spans);
    }

    @Override
    public void attendCausal(
            Floats q, int heads, KeyValueShape shape, List<CausalSpan> spans, double scale, Floats out) {
        attention.attendCausal(pool, array(q), heads, shape, spans, (float) scale, array(out));
    }

    @Override
    public Routing routeSoftmax(Floats logits, int rows, int experts, int topK, SoftmaxOver over) {
        int[] chosen = new int[rows * topK];
        float[] weights = new float[rows * topK];
        forRows(rows, (from, to, worker) -> {
            float[] row = new float[experts];
            for (int r = from; r < to; r++) {
                System.arraycopy(array(logits), r * experts, row, 0, experts);
                int[] places = TopK.places(row, experts, topK);
                System.arraycopy(places, 0, chosen, r * topK, topK);
                Scalar.softmaxOf(row, places, over, weights, r * topK);
            }
        });
        return Routing.of(chosen, weights, topK);
    }

    @Override
    public Routing route(Floats logits, int rows, int experts, @Nullable Floats bias, int topK, double scale) {
        int[] chosen = new int[rows * topK];
        float[] added = bias == null ? null : array(bias);
        forRows(rows, (from, to, worker) -> {
            Scratch own = scratch[worker];
            own.scores = FloatArrays.grown(own.scores, experts);
            for (int r = from; r < to; r++) {
                VectorRows.scores(array(logits), r * experts, experts, added, own.scores);
                System.arraycopy(own.topK.places(own.scores, 0, experts, topK), 0, chosen, r * topK, topK);
            }
        });
        return weigh(logits, rows, experts, chosen, topK, scale);
    }

    @Override
    public Routing weigh(Floats logits, int rows, int experts, int[] chosen, int topK, double scale) {
        float[] weights = new float[rows * topK];
        forRows(rows, (from, to, worker) -> {
            double[] scores = new double[topK];
            for (int r = from; r < to; r++) {
                weighRow(array(logits), r * experts, chosen, scores, weights, r * topK, scale);
            }
        });
        return Routing.of(chosen, weights, topK);
    }

    // few numbers a row, and some may be far too small for a float: in double precision
    private static void weighRow(
            float[] logits, int logitsAt, int[] chosen, double[] scores, float[] weights, int at, double scale) {
        double sum = 0;
        for (int k = 0; k < scores.length; k++) {
            scores[k] = Scalar.sqrtSoftplus(logits[logitsAt + chosen[at + k]]);
            sum += scores[k];
        }
        for (int k = 0; k < scores.length; k++) {
            weights[at + k] = (float) (scores[k] / sum * scale);
        }
    }

    @Override
    public void gather(Floats x, int[] indices, int dim, Floats out) {
        forRows(indices.length, (from, to, worker) -> {
            for (int i = from; i < to; i++) {
                System.arraycopy(array(x), indices[i] * dim, array(out), i * dim, dim);
            }
        });
    }

    @Override
    public void add(Floats x, int count, Floats y) {
        pool.forEach(Math.ceilDiv(count, CHUNK), (item, worker) -> {
            int from = item * CHUNK;
            VectorRows.add(array(x), from, Math.min(CHUNK, count - from), array(y), from);
        });
    }

    @Override
    public double[] logSumExp(Floats x, int rows, int dim) {
        double[] sums = new double[rows];
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                sums[r] = VectorRows.logSumExp(array(x), r * dim, dim, scratch[worker].sums);
            }
        });
        return sums;
    }

    @Override
    public void close() {
        pool.close();
        products.close();
        attention.close();
    }

    /// The storage of host floats.
    private static float[] array(Floats floats) {
        return ((HostFloats) floats).array();
    }
}
