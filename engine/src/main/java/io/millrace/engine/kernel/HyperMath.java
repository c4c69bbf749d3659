package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Manifold-constrained hyper-connections (deepseek-v4.md section 2.3), n streams of dim floats, for a block
/// of rows. What is long runs along the streams; what is short, the n (2 + n) mixing numbers and Sinkhorn's
/// normalisation, has a row in each lane. Confined to one worker.
final class HyperMath {
    /// Rows of a block: a whole number of vectors of any width.
    static final int ROWS = 16;

    private final DotProduct product = new DotProduct();
    private final RowDecoder decoder = new RowDecoder();
    private final LaneSums sums = new LaneSums();
    private float[] decoded = new float[0];
    private float[] products = new float[0];
    private float[] mixes = new float[0];
    private float[] weights = new float[0];

    /// Rows `from` to `to`, at most ROWS of them, of {@link Kernels#hyperMix}.
    void mix(
            float[] streams,
            int from,
            int to,
            int dim,
            HyperSite site,
            float[] collapsed,
            float[] post,
            float[] combine) {
        int n = site.n();
        float[] scale = array(site.scale());
        float[] base = array(site.base());
        mixes(streams, from, to - from, site);
        affine(0, n, scale[0], base);
        affine(n, n, scale[1], base);
        affine(2 * n, n * n, scale[2], base);
        sigmoids(0, n, 1, (float) site.eps());
        sigmoids(n, n, 2, 0);
        normalise(2 * n * ROWS, n, site.iterations(), (float) site.eps());
        rows(n, n, from, to, post);
        rows(2 * n, n * n, from, to, combine);
        collapse(streams, from, to, n, dim, collapsed);
    }

    /// Rows `from` to `to`, at most ROWS of them, of {@link Kernels#hyperCollapse}.
    void collapse(float[] streams, int from, int to, int dim, HyperSite site, float[] collapsed) {
        int n = site.n();
        mixes(streams, from, to - from, site);
        affine(0, n, array(site.scale())[0], array(site.base()));
        sigmoids(0, n, 1, (float) site.eps());
        collapse(streams, from, to, n, dim, collapsed);
    }

    private static float[] array(Floats floats) {
        return ((HostFloats) floats).array();
    }

    /// `fn · f · (mean(f²) + eps)^-½` of each row's streams f into `mixes` [fn.rows, ROWS].
    private void mixes(float[] streams, int from, int rows, HyperSite site) {
        int width = site.fn().cols();
        int count = site.fn().rows();
        products = grown(products, ROWS * count);
        mixes = grown(mixes, ROWS * count);
        product.multiply(streams, from * width, rows, width, floats(site.fn()), count, products);
        for (int r = 0; r < rows; r++) {
            float factor = VectorRows.inverseRms(streams, (from + r) * width, width, site.normEps(), sums);
            for (int i = 0; i < count; i++) {
                mixes[i * ROWS + r] = products[r * count + i] * factor;
            }
        }
    }

    private MemorySegment floats(Matrix fn) {
        if (fn.dtype() == DType.F32 && fn.scales() == null) {
            return fn.data();
        }
        decoded = grown(decoded, fn.rows() * fn.cols());
        for (int i = 0; i < fn.rows(); i++) {
            decoder.decode(fn, i, decoded, i * fn.cols());
        }
        return MemorySegment.ofArray(decoded);
    }

    private static float[] grown(float[] held, int size) {
        return held.length >= size ? held : new float[size];
    }

    /// `mixes = mixes scale + base` for `count` numbers of every row.
    private void affine(int first, int count, float scale, float[] base) {
        for (int i = first; i < first + count; i++) {
            for (int lane = i * ROWS; lane < (i + 1) * ROWS; lane += LANES) {
                FloatVector.fromArray(FLOATS, mixes, lane)
                        .mul(scale)
                        .add(base[i])
                        .intoArray(mixes, lane);
            }
        }
    }

    /// `mixes = factor sigmoid(mixes) + eps`.
    private void sigmoids(int first, int count, float factor, float eps) {
        for (int lane = first * ROWS; lane < (first + count) * ROWS; lane += LANES) {
            FloatVector z = FloatVector.fromArray(FLOATS, mixes, lane);
            VectorMath.sigmoid(z).mul(factor).add(eps).intoArray(mixes, lane);
        }
    }

    /// {@link Sinkhorn#normalise} of ROWS matrices [n, n] at once, from `mixes[at]`.
    private void normalise(int at, int n, int iterations, float eps) {
        for (int lane = at; lane < at + ROWS; lane += LANES) {
            for (int j = 0; j < n; j++) {
                softmax(lane + j * n * ROWS, n, eps);
            }
            columns(lane, n, eps);
            for (int i = 1; i < iterations; i++) {
                for (int j = 0; j < n; j++) {
                    divideBySum(lane + j * n * ROWS, ROWS, n, eps);
                }
                columns(lane, n, eps);
            }
        }
    }

    private void columns(int lane, int n, float eps) {
        for (int k = 0; k < n; k++) {
            divideBySum(lane + k * ROWS, n * ROWS, n, eps);
        }
    }

    private void softmax(int at, int n, float eps) {
        FloatVector max = FloatVector.fromArray(FLOATS, mixes, at);
        for (int k = 1; k < n; k++) {
            max = max.max(FloatVector.fromArray(FLOATS, mixes, at + k * ROWS));
        }
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int k = 0; k < n; k++) {
            FloatVector power = VectorMath.exp(
                    FloatVector.fromArray(FLOATS, mixes, at + k * ROWS).sub(max));
            power.intoArray(mixes, at + k * ROWS);
            sum = sum.add(power);
        }
        for (int k = 0; k < n; k++) {
            FloatVector power = FloatVector.fromArray(FLOATS, mixes, at + k * ROWS);
            power.div(sum).add(eps).intoArray(mixes, at + k * ROWS);
        }
    }

    private void divideBySum(int at, int stride, int n, float eps) {
        FloatVector sum = FloatVector.broadcast(FLOATS, eps);
        for (int k = 0; k < n; k++) {
            sum = sum.add(FloatVector.fromArray(FLOATS, mixes, at + k * stride));
        }
        FloatVector inverse = FloatVector.broadcast(FLOATS, 1f).div(sum);
        for (int k = 0; k < n; k++) {
            FloatVector.fromArray(FLOATS, mixes, at + k * stride).mul(inverse).intoArray(mixes, at + k * stride);
        }
    }

    /// Numbers `first` to `first + count` of every row, a row's beside each other: [rows, count].
    private void rows(int first, int count, int from, int to, float[] out) {
        for (int r = from; r < to; r++) {
            for (int i = 0; i < count; i++) {
                out[r * count + i] = mixes[(first + i) * ROWS + r - from];
            }
        }
    }

    /// `collapsed = Σ_j pre_j streams_j`, pre being the first n mixes.
    private void collapse(float[] streams, int from, int to, int n, int dim, float[] collapsed) {
        weights = grown(weights, n);
        for (int r = from; r < to; r++) {
            for (int j = 0; j < n; j++) {
                weights[j] = mixes[j * ROWS + r - from];
            }
            weightedSum(weights, n, streams, r * n * dim, dim, collapsed, r * dim);
        }
    }

    private static void weightedSum(float[] weights, int n, float[] x, int at, int dim, float[] out, int to) {
        int bound = FLOATS.loopBound(dim);
        for (int c = 0; c < bound; c += LANES) {
            FloatVector sum = FloatVector.fromArray(FLOATS, x, at + c).mul(weights[0]);
            for (int j = 1; j < n; j++) {
                sum = FloatVector.fromArray(FLOATS, x, at + j * dim + c)
                        .fma(FloatVector.broadcast(FLOATS, weights[j]), sum);
            }
            sum.intoArray(out, to + c);
        }
        for (int c = bound; c < dim; c++) {
            float sum = weights[0] * x[at + c];
            for (int j = 1; j < n; j++) {
                sum = Math.fma(x[at + j * dim + c], weights[j], sum);
            }
            out[to + c] = sum;
        }
    }

    /// Row r of {@link Kernels#hyperExpand}: every stream's sum runs from the sub-layer's output through the
    /// streams in order.
    void expand(float[] y, float[] post, float[] combine, int r, int n, int dim, float[] streams) {
        weights = grown(weights, n * LANES);
        int bound = FLOATS.loopBound(dim);
        if (n == 4) {
            expandFour(y, post, combine, r, dim, bound, streams);
        } else {
            expandAny(y, post, combine, r, n, dim, bound, streams);
        }
        for (int c = bound; c < dim; c++) {
            expandColumn(y[r * dim + c], post, combine, r, n, dim, streams, r * n * dim + c);
        }
    }

    // the released models' four streams: all values of a column stay in registers
    private static void expandFour(
            float[] y, float[] post, float[] combine, int r, int dim, int bound, float[] streams) {
        int first = r * 4 * dim;
        for (int c = 0; c < bound; c += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, y, r * dim + c);
            FloatVector a = FloatVector.fromArray(FLOATS, streams, first + c);
            FloatVector b = FloatVector.fromArray(FLOATS, streams, first + dim + c);
            FloatVector d = FloatVector.fromArray(FLOATS, streams, first + 2 * dim + c);
            FloatVector e = FloatVector.fromArray(FLOATS, streams, first + 3 * dim + c);
            for (int k = 0; k < 4; k++) {
                int weight = r * 16 + k;
                FloatVector sum = v.mul(post[r * 4 + k]);
                sum = a.fma(FloatVector.broadcast(FLOATS, combine[weight]), sum);
                sum = b.fma(FloatVector.broadcast(FLOATS, combine[weight + 4]), sum);
                sum = d.fma(FloatVector.broadcast(FLOATS, combine[weight + 8]), sum);
                sum = e.fma(FloatVector.broadcast(FLOATS, combine[weight + 12]), sum);
                sum.intoArray(streams, first + k * dim + c);
            }
        }
    }

    private void expandAny(
            float[] y, float[] post, float[] combine, int r, int n, int dim, int bound, float[] streams) {
        int first = r * n * dim;
        for (int c = 0; c < bound; c += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, y, r * dim + c);
            for (int k = 0; k < n; k++) {
                FloatVector sum = v.mul(post[r * n + k]);
                for (int j = 0; j < n; j++) {
                    FloatVector weight = FloatVector.broadcast(FLOATS, combine[(r * n + j) * n + k]);
                    sum = FloatVector.fromArray(FLOATS, streams, first + j * dim + c)
                            .fma(weight, sum);
                }
                sum.intoArray(weights, k * LANES);
            }
            for (int k = 0; k < n; k++) {
                System.arraycopy(weights, k * LANES, streams, first + k * dim + c, LANES);
            }
        }
    }

    private void expandColumn(float y, float[] post, float[] combine, int r, int n, int dim, float[] streams, int at) {
        for (int k = 0; k < n; k++) {
            weights[k] = post[r * n + k] * y;
            for (int j = 0; j < n; j++) {
                weights[k] = Math.fma(streams[at + j * dim], combine[(r * n + j) * n + k], weights[k]);
            }
        }
        for (int k = 0; k < n; k++) {
            streams[at + k * dim] = weights[k];
        }
    }
}
