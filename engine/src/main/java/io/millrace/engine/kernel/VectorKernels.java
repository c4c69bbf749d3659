package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.PANEL;
import static io.millrace.engine.kernel.VectorConstants.TILE;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import io.millrace.engine.tensor.Rounding;
import io.millrace.engine.tensor.Swiglu;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// The fast rings on host memory: products by {@link MatrixProducts}, the Vector API's or compiled ones, on a fixed
/// pool of threads; everything else in Java for one row, shared out by rows.
final class VectorKernels implements Kernels {
    /// Rows of a small operation that one item takes, so that sharing out costs little beside the work.
    private static final int GRAIN = 16;

    private final WorkerPool pool;
    private final Scratch[] scratch;
    private final CausalAttention[] causal;
    private final MatrixProducts products;
    private final String reason;

    /// One worker's memory.
    private static final class Scratch {
        final float[] tile = new float[TILE * PANEL];
        float[] packed = new float[0];
        float[] keys = new float[0];
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
        this(threads, new PanelProducts(threads), reason);
    }

    VectorKernels(int threads, MatrixProducts products, String reason) {
        this.pool = new WorkerPool(threads);
        this.products = products;
        this.scratch = new Scratch[threads];
        Arrays.setAll(scratch, i -> new Scratch());
        this.causal = new CausalAttention[threads];
        Arrays.setAll(causal, i -> new CausalAttention());
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
                MatrixRows.decode(embed, tokens[r], array(out), first);
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

    private static float[] grown(float[] held, int size) {
        return held.length >= size ? held : new float[Math.max(size, 2 * held.length)];
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
                Scalar.rmsNorm(array(x), r * dim, dim, w, eps, array(y), r * dim);
            }
        });
    }

    @Override
    public void rotate(Floats x, int rows, int heads, int dim, Floats angles, int pairs, Rotation rotation) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                Scalar.rotate(array(x), r * heads * dim, heads, dim, array(angles), r * 2 * pairs, pairs, rotation);
            }
        });
    }

    @Override
    public void roundFp8(Floats x, int rows, int dim, int length, int block) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                Rounding.fp8RoundTrip(array(x), r * dim, length, block);
            }
        });
    }

    @Override
    public void hadamardRoundFp4(Floats x, int rows, int dim, int block) {
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                Rounding.hadamard(array(x), r * dim, dim);
                Rounding.fp4RoundTrip(array(x), r * dim, dim, block);
            }
        });
    }

    @Override
    public void hyperMix(
            Floats streams, int rows, int dim, HyperSite site, Floats collapsed, Floats post, Floats combine) {
        Floats mixes = mixes(streams, rows, site);
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                HyperMath.mixRow(
                        array(mixes), r, dim, site, array(streams), array(collapsed), array(post), array(combine));
            }
        });
    }

    @Override
    public void hyperCollapse(Floats streams, int rows, int dim, HyperSite site, Floats collapsed) {
        Floats mixes = mixes(streams, rows, site);
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                HyperMath.collapseRow(array(mixes), r, dim, site, array(streams), array(collapsed));
            }
        });
    }

    private Floats mixes(Floats streams, int rows, HyperSite site) {
        Floats mixes = allocate(rows * site.fn().rows());
        matmul(streams, rows, site.fn(), mixes);
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                HyperMath.scaleRow(array(streams), r, site, array(mixes));
            }
        });
        return mixes;
    }

    @Override
    public void hyperExpand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Floats streams) {
        forRows(rows, (from, to, worker) -> {
            float[] mixed = new float[n];
            for (int r = from; r < to; r++) {
                HyperMath.expandRow(array(y), array(post), array(combine), r, n, dim, array(streams), mixed);
            }
        });
    }

    @Override
    public void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out) {
        pool.forEach(spans.size(), (item, worker) -> poolSpan(values, scores, ape, shape, spans.get(item), out));
    }

    private static void poolSpan(Floats values, Floats scores, Floats ape, Pooling shape, PoolSpan span, Floats out) {
        new WindowPool(shape, array(ape), array(span.stateValues()), array(span.stateScores()))
                .accept(array(values), array(scores), span, array(out));
    }

    @Override
    public int[][] indexTopK(Floats q, Floats headWeights, int rows, int heads, int dim, RowLists keys, int topK) {
        int[][] chosen = new int[rows][];
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                chosen[r] = keys.start()[r + 1] - keys.start()[r] <= topK
                        ? TopK.all(keys.start()[r + 1] - keys.start()[r])
                        : chooseByScore(q, headWeights, r, heads, dim, keys, topK, scratch[worker]);
            }
        });
        return chosen;
    }

    private int[] chooseByScore(
            Floats q, Floats headWeights, int r, int heads, int dim, RowLists keys, int topK, Scratch own) {
        int count = keys.start()[r + 1] - keys.start()[r];
        int stride = scores(q, r, heads, dim, keys, own);
        float[] scores = new float[count];
        for (int h = 0; h < heads; h++) {
            float weight = array(headWeights)[r * heads + h];
            for (int j = 0; j < count; j++) {
                scores[j] += weight * Math.max(0, own.scores[h * stride + j]);
            }
        }
        return TopK.places(scores, count, topK);
    }

    /// Products of row r's heads with its keys into `own.scores`, [heads, stride].
    ///
    /// @return the stride, a multiple of PANEL
    private int scores(Floats q, int r, int heads, int dim, RowLists keys, Scratch own) {
        int first = keys.start()[r];
        int count = keys.start()[r + 1] - first;
        int stride = Math.ceilDiv(count, PANEL) * PANEL;
        own.packed = grown(own.packed, PanelProduct.packedSize(heads, dim));
        own.scores = grown(own.scores, heads * stride);
        own.keys = grown(own.keys, dim * PANEL);
        PanelProduct.pack(array(q), r * heads * dim, dim, heads, dim, own.packed, 0);
        for (int j = 0; j < count; j += PANEL) {
            transpose(keys, first + j, Math.min(PANEL, count - j), dim, own.keys);
            PanelProduct.multiply(own.packed, 0, heads, dim, own.keys, own.scores, j, stride, PANEL, own.tile);
        }
        return stride;
    }

    /// Key rows as the lanes of a panel; lanes without a key are zero.
    private static void transpose(RowLists keys, int first, int count, int dim, float[] panel) {
        for (int lane = 0; lane < PANEL; lane++) {
            float[] page = lane < count ? array(keys.pages()[first + lane]) : null;
            int offset = lane < count ? keys.offsets()[first + lane] : 0;
            for (int c = 0; c < dim; c++) {
                panel[c * PANEL + lane] = page == null ? 0 : page[offset + c];
            }
        }
    }

    @Override
    public void attend(Floats q, int rows, int heads, int dim, RowLists keys, Floats sink, double scale, Floats out) {
        pool.forEach(
                rows,
                (r, worker) ->
                        attendRow(q, r, heads, dim, keys, array(sink), (float) scale, array(out), scratch[worker]));
    }

    private void attendRow(
            Floats q, int r, int heads, int dim, RowLists keys, float[] sink, float scale, float[] out, Scratch own) {
        int count = keys.start()[r + 1] - keys.start()[r];
        int stride = scores(q, r, heads, dim, keys, own);
        float[] sums = new float[heads];
        for (int h = 0; h < heads; h++) {
            sums[h] = softmax(own.scores, h * stride, count, stride, sink[h], scale);
        }
        own.packed = grown(own.packed, PanelProduct.packedSize(heads, count));
        PanelProduct.pack(own.scores, 0, stride, heads, count, own.packed, 0);
        own.keys = grown(own.keys, count * PANEL);
        for (int c = 0; c < dim; c += PANEL) {
            int width = Math.min(PANEL, dim - c);
            columns(keys, keys.start()[r], count, c, width, own.keys);
            PanelProduct.multiply(
                    own.packed, 0, heads, count, own.keys, out, r * heads * dim + c, dim, width, own.tile);
        }
        for (int h = 0; h < heads; h++) {
            for (int c = 0; c < dim; c++) {
                out[(r * heads + h) * dim + c] /= sums[h];
            }
        }
    }

    /// `e^(scale score - max)` in place; the padding up to the stride is computed and not summed.
    ///
    /// @return the sum, the sink's share included
    private static float softmax(float[] scores, int at, int count, int stride, float sink, float scale) {
        float max = sink;
        for (int j = at; j < at + count; j++) {
            scores[j] *= scale;
            max = Math.max(max, scores[j]);
        }
        Arrays.fill(scores, at + count, at + stride, max);
        VectorMath.expShifted(scores, at, stride, max);
        double sum = Math.exp(sink - max);
        for (int j = at; j < at + count; j++) {
            sum += scores[j];
        }
        return (float) sum;
    }

    /// Columns `c` to `c + width` of the key rows as a panel [count, PANEL].
    private static void columns(RowLists keys, int first, int count, int c, int width, float[] panel) {
        for (int j = 0; j < count; j++) {
            System.arraycopy(array(keys.pages()[first + j]), keys.offsets()[first + j] + c, panel, j * PANEL, width);
            Arrays.fill(panel, j * PANEL + width, (j + 1) * PANEL, 0);
        }
    }

    @Override
    public void experts(
            Floats x, int rows, int dim, Routing routing, IntFunction<Swiglu> experts, double limit, Floats y) {
        ExpertGroups groups = ExpertGroups.of(routing, rows);
        int topK = routing.topK();
        float[] parts = new float[rows * topK * dim];
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
                    Scalar.add(parts, (r * topK + slot) * dim, dim, array(y), r * dim);
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
        own.gathered = grown(own.gathered, rows * dim);
        own.gate = grown(own.gate, rows * inner);
        own.up = grown(own.up, rows * inner);
        own.out = grown(own.out, rows * dim);
        for (int i = 0; i < rows; i++) {
            System.arraycopy(x, members[i] * dim, own.gathered, i * dim, dim);
        }
        Matrix[] gateAndUp = {expert.gate(), expert.up()};
        products.onWorker(worker, own.gathered, rows, gateAndUp, new float[][] {own.gate, own.up});
        for (int r = 0; r < rows; r++) {
            Scalar.swiglu(own.gate, own.up, r * inner, inner, limit, weights[r]);
        }
        products.onWorker(worker, own.gate, rows, new Matrix[] {expert.down()}, new float[][] {own.out});
    }

    @Override
    public void addSwiglu(Floats x, int rows, Swiglu expert, double limit, Floats y) {
        int inner = expert.gate().rows();
        int dim = expert.down().rows();
        Floats gate = allocate(rows * inner);
        Floats up = allocate(rows * inner);
        matmul(x, rows, expert.gate(), gate);
        matmul(x, rows, expert.up(), up);
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                Scalar.swiglu(array(gate), array(up), r * inner, inner, limit, 1);
            }
        });
        Floats out = allocate(rows * dim);
        matmul(gate, rows, expert.down(), out);
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
        List<CausalAttention.Block> blocks = CausalAttention.blocks(spans, GRAIN);
        pool.forEach(
                blocks.size(), (b, worker) -> CausalAttention.keep(array(keys), array(values), shape, blocks.get(b)));
    }

    @Override
    public void attendCausal(
            Floats q, int heads, KeyValueShape shape, List<CausalSpan> spans, double scale, Floats out) {
        int groups = shape.heads();
        List<CausalAttention.Block> blocks =
                CausalAttention.blocks(spans, Math.max(1, CausalAttention.BLOCK_HEADS * groups / heads));
        pool.forEach(
                blocks.size() * groups,
                (item, worker) -> causal[worker].attend(
                        array(q), heads, shape, blocks.get(item / groups), item % groups, (float) scale, array(out)));
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
        return new Routing(chosen, weights, topK);
    }

    @Override
    public Routing route(Floats logits, int rows, int experts, @Nullable Floats bias, int topK, double scale) {
        int[] chosen = new int[rows * topK];
        float[] added = bias == null ? new float[experts] : array(bias);
        forRows(rows, (from, to, worker) -> {
            float[] biased = new float[experts];
            for (int r = from; r < to; r++) {
                for (int e = 0; e < experts; e++) {
                    biased[e] = (float) (Scalar.sqrtSoftplus(array(logits)[r * experts + e]) + added[e]);
                }
                System.arraycopy(TopK.places(biased, experts, topK), 0, chosen, r * topK, topK);
            }
        });
        return weigh(logits, rows, experts, chosen, topK, scale);
    }

    @Override
    public Routing weigh(Floats logits, int rows, int experts, int[] chosen, int topK, double scale) {
        float[] weights = new float[rows * topK];
        double[] scores = new double[topK];
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            for (int k = 0; k < topK; k++) {
                scores[k] = Scalar.sqrtSoftplus(array(logits)[r * experts + chosen[r * topK + k]]);
                sum += scores[k];
            }
            for (int k = 0; k < topK; k++) {
                weights[r * topK + k] = (float) (scores[k] / sum * scale);
            }
        }
        return new Routing(chosen, weights, topK);
    }

    @Override
    public void gather(Floats x, int[] indices, int dim, Floats out) {
        for (int i = 0; i < indices.length; i++) {
            System.arraycopy(array(x), indices[i] * dim, array(out), i * dim, dim);
        }
    }

    @Override
    public void add(Floats x, int count, Floats y) {
        Scalar.add(array(x), 0, count, array(y), 0);
    }

    @Override
    public double[] logSumExp(Floats x, int rows, int dim) {
        double[] sums = new double[rows];
        forRows(rows, (from, to, worker) -> {
            for (int r = from; r < to; r++) {
                sums[r] = Scalar.logSumExp(array(x), r * dim, dim);
            }
        });
        return sums;
    }

    @Override
    public void close() {
        pool.close();
        products.close();
    }

    /// The storage of host floats.
    private static float[] array(Floats floats) {
        return ((HostFloats) floats).array();
    }
}
