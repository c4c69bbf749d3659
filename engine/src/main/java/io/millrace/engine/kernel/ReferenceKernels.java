package io.millrace.engine.kernel;

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

/// The truth: scalar loops with double accumulators, one thread, written to be compared with the formulas.
/// Sums run in index order.
public class ReferenceKernels implements Kernels {

    @Override
    public String description() {
        return "reference: scalar, double accumulators, one thread";
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
    public void read(Floats source, int sourceOffset, float[] target, int targetOffset, int count) {
        System.arraycopy(array(source), sourceOffset, target, targetOffset, count);
    }

    @Override
    public void copy(Floats source, int sourceOffset, Floats target, int targetOffset, int count) {
        System.arraycopy(array(source), sourceOffset, array(target), targetOffset, count);
    }

    @Override
    public void embed(Matrix embed, int[] tokens, int rows, int copies, Floats out) {
        float[] to = array(out);
        int dim = embed.cols();
        for (int r = 0; r < rows; r++) {
            int first = r * copies * dim;
            MatrixRows.decode(embed, tokens[r], to, first);
            for (int c = 1; c < copies; c++) {
                System.arraycopy(to, first, to, first + c * dim, dim);
            }
        }
    }

    @Override
    public void matmul(Floats x, int rows, Matrix w, Floats y) {
        groupedMatmul(x, rows, w, 1, y);
    }

    @Override
    public void groupedMatmul(Floats x, int rows, Matrix w, int groups, Floats y) {
        float[] in = array(x);
        float[] out = array(y);
        int cols = w.cols();
        int perGroup = w.rows() / groups;
        float[] row = new float[cols];
        for (int n = 0; n < w.rows(); n++) {
            MatrixRows.decode(w, n, row, 0);
            int group = n / perGroup;
            for (int r = 0; r < rows; r++) {
                out[r * w.rows() + n] = (float) dot(in, (r * groups + group) * cols, row, 0, cols);
            }
        }
    }

    @Override
    public void rmsNorm(Floats x, int rows, int dim, @Nullable Floats weight, double eps, Floats y) {
        for (int r = 0; r < rows; r++) {
            Scalar.rmsNorm(array(x), r * dim, dim, weight == null ? null : array(weight), eps, array(y), r * dim);
        }
    }

    @Override
    public void rotate(Floats x, int rows, int heads, int dim, Floats angles, int pairs, Rotation rotation) {
        for (int r = 0; r < rows; r++) {
            Scalar.rotate(array(x), r * heads * dim, heads, dim, array(angles), r * 2 * pairs, pairs, rotation);
        }
    }

    @Override
    public void roundFp8(Floats x, int rows, int dim, int length, int block) {
        for (int r = 0; r < rows; r++) {
            Rounding.fp8RoundTrip(array(x), r * dim, length, block);
        }
    }

    @Override
    public void hadamardRoundFp4(Floats x, int rows, int dim, int block) {
        for (int r = 0; r < rows; r++) {
            Rounding.hadamard(array(x), r * dim, dim);
            Rounding.fp4RoundTrip(array(x), r * dim, dim, block);
        }
    }

    @Override
    public void hyperMix(
            Floats streams, int rows, int dim, HyperSite site, Floats collapsed, Floats post, Floats combine) {
        Floats mixes = mixes(streams, rows, site);
        for (int r = 0; r < rows; r++) {
            mixRow(array(mixes), r, dim, site, array(streams), array(collapsed), array(post), array(combine));
        }
    }

    @Override
    public void hyperCollapse(Floats streams, int rows, int dim, HyperSite site, Floats collapsed) {
        Floats mixes = mixes(streams, rows, site);
        for (int r = 0; r < rows; r++) {
            collapseRow(array(mixes), r, dim, site, array(streams), array(collapsed));
        }
    }

    /// `fn · f · (mean(f²) + eps)^-½` over all streams of a row: [rows, fn.rows].
    private Floats mixes(Floats streams, int rows, HyperSite site) {
        Floats mixes = allocate(rows * site.fn().rows());
        matmul(streams, rows, site.fn(), mixes);
        for (int r = 0; r < rows; r++) {
            scaleRow(array(streams), r, site, array(mixes));
        }
        return mixes;
    }

    static void scaleRow(float[] streams, int r, HyperSite site, float[] mixes) {
        int width = site.fn().cols();
        int count = site.fn().rows();
        HyperMath.scaleByInverseRms(streams, r * width, width, site.normEps(), mixes, r * count, count);
    }

    static void mixRow(
            float[] mixes,
            int r,
            int dim,
            HyperSite site,
            float[] streams,
            float[] collapsed,
            float[] post,
            float[] combine) {
        int n = site.n();
        double[] pre = HyperMath.pre(mixes, r * site.fn().rows(), site, array(site.base()), array(site.scale())[0]);
        HyperMath.mix(
                mixes,
                r * site.fn().rows(),
                array(site.base()),
                array(site.scale()),
                site,
                post,
                r * n,
                combine,
                r * n * n);
        HyperMath.collapse(pre, streams, r * n * dim, dim, collapsed, r * dim);
    }

    static void collapseRow(float[] mixes, int r, int dim, HyperSite site, float[] streams, float[] collapsed) {
        double[] pre = HyperMath.pre(mixes, r * site.n(), site, array(site.base()), array(site.scale())[0]);
        HyperMath.collapse(pre, streams, r * site.n() * dim, dim, collapsed, r * dim);
    }

    @Override
    public void hyperExpand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Floats streams) {
        float[] mixed = new float[n];
        for (int r = 0; r < rows; r++) {
            expandRow(array(y), array(post), array(combine), r, n, dim, array(streams), mixed);
        }
    }

    static void expandRow(
            float[] y, float[] post, float[] combine, int r, int n, int dim, float[] streams, float[] mixed) {
        HyperMath.expand(y, r * dim, post, r * n, combine, r * n * n, n, dim, streams, r * n * dim, mixed);
    }

    @Override
    public void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out) {
        for (PoolSpan span : spans) {
            new WindowPool(shape, array(ape), array(span.stateValues()), array(span.stateScores()))
                    .accept(array(values), array(scores), span, array(out));
        }
    }

    @Override
    public int[][] indexTopK(Floats q, Floats headWeights, int rows, int heads, int dim, RowLists keys, int topK) {
        int[][] chosen = new int[rows][];
        for (int r = 0; r < rows; r++) {
            chosen[r] = indexRow(array(q), array(headWeights), r, heads, dim, keys, topK);
        }
        return chosen;
    }

    /// The chosen places of one row.
    protected int[] indexRow(float[] q, float[] headWeights, int r, int heads, int dim, RowLists keys, int topK) {
        int first = keys.start()[r];
        int count = keys.start()[r + 1] - first;
        if (count <= topK) {
            return TopK.all(count);
        }
        float[] scores = new float[count];
        for (int j = 0; j < count; j++) {
            scores[j] = indexScore(
                    q, headWeights, r, heads, dim, array(keys.pages()[first + j]), keys.offsets()[first + j]);
        }
        return TopK.places(scores, count, topK);
    }

    private float indexScore(float[] q, float[] headWeights, int r, int heads, int dim, float[] key, int offset) {
        double score = 0;
        for (int h = 0; h < heads; h++) {
            double product = dot(q, (r * heads + h) * dim, key, offset, dim);
            score += headWeights[r * heads + h] * Math.max(0, product);
        }
        return (float) score;
    }

    @Override
    public void attend(Floats q, int rows, int heads, int dim, RowLists keys, Floats sink, double scale, Floats out) {
        for (int r = 0; r < rows; r++) {
            for (int h = 0; h < heads; h++) {
                attendHead(array(q), (r * heads + h) * dim, dim, keys, r, array(sink)[h], scale, array(out));
            }
        }
    }

    private void attendHead(float[] q, int at, int dim, RowLists keys, int r, double sink, double scale, float[] out) {
        int first = keys.start()[r];
        int count = keys.start()[r + 1] - first;
        double[] weights = new double[count];
        double max = sink;
        for (int j = 0; j < count; j++) {
            weights[j] = scale * dot(q, at, array(keys.pages()[first + j]), keys.offsets()[first + j], dim);
            max = Math.max(max, weights[j]);
        }
        double sum = Math.exp(sink - max);
        for (int j = 0; j < count; j++) {
            weights[j] = Math.exp(weights[j] - max);
            sum += weights[j];
        }
        for (int c = 0; c < dim; c++) {
            double value = 0;
            for (int j = 0; j < count; j++) {
                value += weights[j] * array(keys.pages()[first + j])[keys.offsets()[first + j] + c];
            }
            out[at + c] = (float) (value / sum);
        }
    }

    @Override
    public Routing route(Floats logits, int rows, int experts, @Nullable Floats bias, int topK, double scale) {
        int[] chosen = new int[rows * topK];
        float[] biased = new float[experts];
        for (int r = 0; r < rows; r++) {
            for (int e = 0; e < experts; e++) {
                double score = Scalar.sqrtSoftplus(array(logits)[r * experts + e]);
                biased[e] = (float) (score + (bias == null ? 0 : array(bias)[e]));
            }
            System.arraycopy(TopK.places(biased, experts, topK), 0, chosen, r * topK, topK);
        }
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
    public void experts(
            Floats x, int rows, int dim, Routing routing, IntFunction<Swiglu> experts, double limit, Floats y) {
        ExpertGroups groups = ExpertGroups.of(routing, rows);
        float[] sum = array(y);
        Arrays.fill(sum, 0, rows * dim, 0f);
        for (int g = 0; g < groups.size(); g++) {
            int[] members = groups.rows(g);
            Floats in = allocate(members.length * dim);
            gather(x, members, dim, in);
            Floats out = allocate(members.length * dim);
            swiglu(in, members.length, experts.apply(groups.expert(g)), groups.weights(g), limit, out);
            for (int i = 0; i < members.length; i++) {
                Scalar.add(array(out), i * dim, dim, sum, members[i] * dim);
            }
        }
    }

    @Override
    public void addSwiglu(Floats x, int rows, Swiglu expert, double limit, Floats y) {
        int dim = expert.down().rows();
        Floats out = allocate(rows * dim);
        swiglu(x, rows, expert, null, limit, out);
        add(out, rows * dim, y);
    }

    private void swiglu(Floats x, int rows, Swiglu expert, float @Nullable [] weights, double limit, Floats out) {
        int inner = expert.gate().rows();
        Floats gate = allocate(rows * inner);
        Floats up = allocate(rows * inner);
        matmul(x, rows, expert.gate(), gate);
        matmul(x, rows, expert.up(), up);
        activate(gate, up, rows, inner, limit, weights);
        matmul(gate, rows, expert.down(), out);
    }

    /// `gate = swiglu(gate, up)` row by row.
    protected void activate(Floats gate, Floats up, int rows, int inner, double limit, float @Nullable [] weights) {
        for (int r = 0; r < rows; r++) {
            Scalar.swiglu(array(gate), array(up), r * inner, inner, limit, weights == null ? 1 : weights[r]);
        }
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
        for (int r = 0; r < rows; r++) {
            sums[r] = Scalar.logSumExp(array(x), r * dim, dim);
        }
        return sums;
    }

    @Override
    public void close() {
        // nothing is held
    }

    /// The storage of host floats.
    protected static float[] array(Floats floats) {
        return ((HostFloats) floats).array();
    }

    private static double dot(float[] a, int aOffset, float[] b, int bOffset, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += (double) a[aOffset + i] * b[bOffset + i];
        }
        return sum;
    }
}
