package io.millrace.engine.kernel;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostDoubles;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import io.millrace.engine.tensor.Rounding;
import io.millrace.engine.tensor.Swiglu;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// The truth: scalar loops in double precision from end to end, one thread, written to be compared with the
/// formulas and not to be fast. Sums run in index order. Weights are used as stored; only cached rows that
/// the model rounds are rounded. Double activations and not only sums, because a rounded cache amplifies
/// noise: a value that float noise moves over the edge between two FP8 codes shows in the logits.
final class ReferenceKernels implements Kernels {

    @Override
    public String description() {
        return "reference: scalar, double precision, one thread";
    }

    @Override
    public Floats allocate(int size) {
        return new HostDoubles(new double[size]);
    }

    @Override
    public Floats upload(float[] values) {
        return new HostDoubles(widen(values));
    }

    @Override
    public Floats upload(double[] values) {
        return new HostDoubles(values.clone());
    }

    @Override
    public void read(Floats source, int sourceOffset, float[] target, int targetOffset, int count) {
        double[] from = doubles(source);
        for (int i = 0; i < count; i++) {
            target[targetOffset + i] = (float) from[sourceOffset + i];
        }
    }

    @Override
    public void copy(Floats source, int sourceOffset, Floats target, int targetOffset, int count) {
        System.arraycopy(doubles(source), sourceOffset, doubles(target), targetOffset, count);
    }

    @Override
    public void embed(Matrix embed, int[] tokens, int rows, int copies, Floats out) {
        double[] to = doubles(out);
        int dim = embed.cols();
        float[] row = new float[dim];
        for (int r = 0; r < rows; r++) {
            MatrixRows.decode(embed, tokens[r], row, 0);
            for (int c = 0; c < copies; c++) {
                for (int i = 0; i < dim; i++) {
                    to[(r * copies + c) * dim + i] = row[i];
                }
            }
        }
    }

    @Override
    public void matmul(Floats x, int rows, Matrix w, Floats y) {
        groupedMatmul(x, rows, w, 1, y);
    }

    @Override
    public void groupedMatmul(Floats x, int rows, Matrix w, int groups, Floats y) {
        double[] in = doubles(x);
        double[] out = doubles(y);
        int cols = w.cols();
        int perGroup = w.rows() / groups;
        float[] row = new float[cols];
        for (int n = 0; n < w.rows(); n++) {
            MatrixRows.decode(w, n, row, 0);
            double[] weights = widen(row);
            for (int r = 0; r < rows; r++) {
                out[r * w.rows() + n] = dot(in, (r * groups + n / perGroup) * cols, weights, 0, cols);
            }
        }
    }

    @Override
    public void rmsNorm(Floats x, int rows, int dim, @Nullable Floats weight, double eps, Floats y) {
        double[] in = doubles(x);
        double[] out = doubles(y);
        double[] w = weight == null ? null : doubles(weight);
        for (int r = 0; r < rows; r++) {
            double factor = inverseRms(in, r * dim, dim, eps);
            for (int i = 0; i < dim; i++) {
                out[r * dim + i] = in[r * dim + i] * factor * (w == null ? 1 : w[i]);
            }
        }
    }

    private static double inverseRms(double[] x, int at, int count, double eps) {
        return 1 / Math.sqrt(dot(x, at, x, at, count) / count + eps);
    }

    @Override
    public void rotate(Floats x, int rows, int heads, int dim, Floats angles, int pairs, Rotation rotation) {
        double[] values = doubles(x);
        double[] turn = doubles(angles);
        double sign = rotation == Rotation.FORWARD ? 1 : -1;
        for (int r = 0; r < rows; r++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < pairs; i++) {
                    double cos = turn[(r * pairs + i) * 2];
                    double sin = sign * turn[(r * pairs + i) * 2 + 1];
                    int at = (r * heads + h + 1) * dim - 2 * pairs + 2 * i;
                    double a = values[at];
                    double b = values[at + 1];
                    values[at] = a * cos - b * sin;
                    values[at + 1] = a * sin + b * cos;
                }
            }
        }
    }

    @Override
    public void roundFp8(Floats x, int rows, int dim, int length, int block) {
        for (int r = 0; r < rows; r++) {
            float[] row = narrow(doubles(x), r * dim, length);
            Rounding.fp8RoundTrip(row, 0, length, block);
            System.arraycopy(widen(row), 0, doubles(x), r * dim, length);
        }
    }

    @Override
    public void hadamardRoundFp4(Floats x, int rows, int dim, int block) {
        for (int r = 0; r < rows; r++) {
            float[] row = narrow(doubles(x), r * dim, dim);
            Rounding.hadamard(row, 0, dim);
            Rounding.fp4RoundTrip(row, 0, dim, block);
            System.arraycopy(widen(row), 0, doubles(x), r * dim, dim);
        }
    }

    @Override
    public void hyperMix(
            Floats streams, int rows, int dim, HyperSite site, Floats collapsed, Floats post, Floats combine) {
        int n = site.n();
        int count = site.fn().rows();
        double[] mixes = mixes(streams, rows, site);
        double[] base = doubles(site.base());
        double[] scale = doubles(site.scale());
        for (int r = 0; r < rows; r++) {
            int at = r * count;
            double[] pre = pre(mixes, at, site);
            collapse(pre, doubles(streams), r, dim, doubles(collapsed));
            double[] a = new double[n * n];
            for (int j = 0; j < n; j++) {
                doubles(post)[r * n + j] = 2 * Scalar.sigmoid(mixes[at + n + j] * scale[1] + base[n + j]);
            }
            for (int j = 0; j < n * n; j++) {
                a[j] = mixes[at + 2 * n + j] * scale[2] + base[2 * n + j];
            }
            Sinkhorn.normalise(a, n, site.iterations(), site.eps());
            System.arraycopy(a, 0, doubles(combine), r * n * n, n * n);
        }
    }

    /// `fn · f · (mean(f²) + eps)^-½` over all streams of a row: [rows, fn.rows].
    private double[] mixes(Floats streams, int rows, HyperSite site) {
        int width = site.fn().cols();
        int count = site.fn().rows();
        HostDoubles mixes = new HostDoubles(new double[rows * count]);
        matmul(streams, rows, site.fn(), mixes);
        for (int r = 0; r < rows; r++) {
            double factor = inverseRms(doubles(streams), r * width, width, site.normEps());
            for (int i = 0; i < count; i++) {
                mixes.array()[r * count + i] *= factor;
            }
        }
        return mixes.array();
    }

    private static double[] pre(double[] mixes, int at, HyperSite site) {
        double[] pre = new double[site.n()];
        for (int j = 0; j < pre.length; j++) {
            double logit = mixes[at + j] * doubles(site.scale())[0] + doubles(site.base())[j];
            pre[j] = Scalar.sigmoid(logit) + site.eps();
        }
        return pre;
    }

    private static void collapse(double[] pre, double[] streams, int r, int dim, double[] collapsed) {
        int n = pre.length;
        for (int c = 0; c < dim; c++) {
            double sum = 0;
            for (int j = 0; j < n; j++) {
                sum += pre[j] * streams[(r * n + j) * dim + c];
            }
            collapsed[r * dim + c] = sum;
        }
    }

    @Override
    public void hyperExpand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Floats streams) {
        double[] x = doubles(streams);
        double[] weights = doubles(combine);
        double[] mixed = new double[n];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < dim; c++) {
                for (int k = 0; k < n; k++) {
                    mixed[k] = doubles(post)[r * n + k] * doubles(y)[r * dim + c];
                    for (int j = 0; j < n; j++) {
                        mixed[k] += weights[(r * n + j) * n + k] * x[(r * n + j) * dim + c];
                    }
                }
                for (int k = 0; k < n; k++) {
                    x[(r * n + k) * dim + c] = mixed[k];
                }
            }
        }
    }

    @Override
    public void hyperCollapse(Floats streams, int rows, int dim, HyperSite site, Floats collapsed) {
        double[] mixes = mixes(streams, rows, site);
        for (int r = 0; r < rows; r++) {
            collapse(pre(mixes, r * site.n(), site), doubles(streams), r, dim, doubles(collapsed));
        }
    }

    @Override
    public void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out) {
        for (PoolSpan span : spans) {
            int entry = span.firstEntry();
            for (int i = 0; i < span.rows(); i++) {
                int phase = (span.startPosition() + i) % shape.ratio();
                keep(values, scores, ape, shape, span, span.firstRow() + i, phase);
                if (phase == shape.ratio() - 1) {
                    poolWindow(shape, doubles(span.stateValues()), doubles(span.stateScores()), doubles(out), entry);
                    entry++;
                    shift(shape, doubles(span.stateValues()));
                    shift(shape, doubles(span.stateScores()));
                }
            }
        }
    }

    /// Overlapping windows keep the previous one in the first half of the state.
    private static void keep(
            Floats values, Floats scores, Floats ape, Pooling shape, PoolSpan span, int row, int phase) {
        int width = shape.width();
        int to = (shape.overlapping() ? shape.ratio() + phase : phase) * width;
        for (int c = 0; c < width; c++) {
            doubles(span.stateValues())[to + c] = doubles(values)[row * width + c];
            doubles(span.stateScores())[to + c] = doubles(scores)[row * width + c] + doubles(ape)[phase * width + c];
        }
    }

    private static void poolWindow(Pooling shape, double[] values, double[] scores, double[] out, int entry) {
        for (int c = 0; c < shape.dim(); c++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int r = 0; r < shape.stateRows(); r++) {
                max = Math.max(max, scores[place(shape, r, c)]);
            }
            double sum = 0;
            double pooled = 0;
            for (int r = 0; r < shape.stateRows(); r++) {
                double weight = Math.exp(scores[place(shape, r, c)] - max);
                sum += weight;
                pooled += weight * values[place(shape, r, c)];
            }
            out[entry * shape.dim() + c] = pooled / sum;
        }
    }

    /// The previous window counts with the first halves of its rows, the current one with the second halves.
    private static int place(Pooling shape, int r, int c) {
        boolean current = shape.overlapping() && r >= shape.ratio();
        return r * shape.width() + (current ? shape.dim() : 0) + c;
    }

    private static void shift(Pooling shape, double[] state) {
        if (shape.overlapping()) {
            int half = shape.ratio() * shape.width();
            System.arraycopy(state, half, state, 0, half);
        }
    }

    @Override
    public int[][] indexTopK(Floats q, Floats headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        int[][] chosen = new int[spans.stream().mapToInt(PooledSpan::rows).sum()][];
        KeyList keys = new KeyList();
        for (PooledSpan span : spans) {
            for (int i = 0; i < span.rows(); i++) {
                int r = span.firstRow() + i;
                keys.pooled(span, span.pooled(i), dim);
                float[] scores = new float[keys.size()];
                for (int j = 0; j < scores.length; j++) {
                    double score = 0;
                    for (int h = 0; h < heads; h++) {
                        double product =
                                dot(doubles(q), (r * heads + h) * dim, doubles(keys.page(j)), keys.offset(j), dim);
                        score += doubles(headWeights)[r * heads + h] * Math.max(0, product);
                    }
                    scores[j] = (float) score;
                }
                chosen[r] = TopK.places(scores, scores.length, topK);
            }
        }
        return chosen;
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
        KeyList keys = new KeyList();
        for (QueryBlock block : QueryBlock.of(spans, chosen, 1)) {
            keys.of(block, keyValue, dim, 1);
            for (int h = 0; h < heads; h++) {
                int at = (block.row(0) * heads + h) * dim;
                attendHead(doubles(q), at, dim, keys, doubles(sink)[h], scale, doubles(out));
            }
        }
    }

    private static void attendHead(double[] q, int at, int dim, KeyList keys, double sink, double scale, double[] out) {
        double[] weights = new double[keys.size()];
        double max = sink;
        for (int j = 0; j < weights.length; j++) {
            weights[j] = scale * dot(q, at, doubles(keys.page(j)), keys.offset(j), dim);
            max = Math.max(max, weights[j]);
        }
        double sum = Math.exp(sink - max);
        for (int j = 0; j < weights.length; j++) {
            weights[j] = Math.exp(weights[j] - max);
            sum += weights[j];
        }
        for (int c = 0; c < dim; c++) {
            double value = 0;
            for (int j = 0; j < weights.length; j++) {
                value += weights[j] * doubles(keys.page(j))[keys.offset(j) + c];
            }
            out[at + c] = value / sum;
        }
    }

    @Override
    public void rotateHalves(Floats x, int rows, int heads, int dim, Floats angles) {
        double[] values = doubles(x);
        double[] turn = doubles(angles);
        int half = dim / 2;
        for (int r = 0; r < rows; r++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < half; i++) {
                    double cos = turn[(r * half + i) * 2];
                    double sin = turn[(r * half + i) * 2 + 1];
                    int at = (r * heads + h) * dim + i;
                    double a = values[at];
                    double b = values[at + half];
                    values[at] = a * cos - b * sin;
                    values[at + half] = a * sin + b * cos;
                }
            }
        }
    }

    /// A page is [PAGE_ROWS, 2, heads, dim]: of each position the keys, then the values.
    @Override
    public void keep(Floats keys, Floats values, KeyValueShape shape, List<CausalSpan> spans) {
        int width = shape.heads() * shape.dim();
        for (CausalSpan span : spans) {
            for (int i = 0; i < span.rows(); i++) {
                double[] page = page(span, span.startPosition() + i);
                int at = keyAt(span.startPosition() + i, 0, shape);
                System.arraycopy(doubles(keys), (span.firstRow() + i) * width, page, at, width);
                System.arraycopy(doubles(values), (span.firstRow() + i) * width, page, at + width, width);
            }
        }
    }

    private static double[] page(CausalSpan span, int position) {
        return doubles(span.pages().get(position / KeyValueShape.PAGE_ROWS));
    }

    /// Where in its page a position's key of a head begins; its value lies a row of heads further.
    private static int keyAt(int position, int head, KeyValueShape shape) {
        return (position % KeyValueShape.PAGE_ROWS * 2 * shape.heads() + head) * shape.dim();
    }

    @Override
    public void attendCausal(
            Floats q, int heads, KeyValueShape shape, List<CausalSpan> spans, double scale, Floats out) {
        for (CausalSpan span : spans) {
            for (int i = 0; i < span.rows(); i++) {
                for (int h = 0; h < heads; h++) {
                    int at = ((span.firstRow() + i) * heads + h) * shape.dim();
                    int keyValueHead = h / (heads / shape.heads());
                    int keys = span.startPosition() + i + 1;
                    attendPaged(doubles(q), at, shape, span, keyValueHead, keys, scale, doubles(out));
                }
            }
        }
    }

    private static void attendPaged(
            double[] q, int at, KeyValueShape shape, CausalSpan span, int head, int keys, double scale, double[] out) {
        int dim = shape.dim();
        double[] weights = new double[keys];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < keys; j++) {
            weights[j] = scale * dot(q, at, page(span, j), keyAt(j, head, shape), dim);
            max = Math.max(max, weights[j]);
        }
        double sum = 0;
        for (int j = 0; j < keys; j++) {
            weights[j] = Math.exp(weights[j] - max);
            sum += weights[j];
        }
        Arrays.fill(out, at, at + dim, 0);
        for (int j = 0; j < keys; j++) {
            int value = keyAt(j, head, shape) + shape.heads() * dim;
            for (int c = 0; c < dim; c++) {
                out[at + c] += weights[j] / sum * page(span, j)[value + c];
            }
        }
    }

    @Override
    public Routing routeSoftmax(Floats logits, int rows, int experts, int topK, SoftmaxOver over) {
        int[] chosen = new int[rows * topK];
        float[] weights = new float[rows * topK];
        for (int r = 0; r < rows; r++) {
            float[] row = narrow(doubles(logits), r * experts, experts);
            int[] places = TopK.places(row, experts, topK);
            double max = Double.NEGATIVE_INFINITY;
            for (int e = 0; e < experts; e++) {
                max = Math.max(max, doubles(logits)[r * experts + e]);
            }
            double sum = 0;
            for (int e : over == SoftmaxOver.ALL ? TopK.all(experts) : places) {
                sum += Math.exp(doubles(logits)[r * experts + e] - max);
            }
            for (int k = 0; k < topK; k++) {
                chosen[r * topK + k] = places[k];
                weights[r * topK + k] = (float) (Math.exp(doubles(logits)[r * experts + places[k]] - max) / sum);
            }
        }
        return Routing.of(chosen, weights, topK);
    }

    @Override
    public Routing route(Floats logits, int rows, int experts, @Nullable Floats bias, int topK, double scale) {
        int[] chosen = new int[rows * topK];
        float[] biased = new float[experts];
        for (int r = 0; r < rows; r++) {
            for (int e = 0; e < experts; e++) {
                double score = Scalar.sqrtSoftplus(doubles(logits)[r * experts + e]);
                biased[e] = (float) (score + (bias == null ? 0 : doubles(bias)[e]));
            }
            System.arraycopy(TopK.places(biased, experts, topK), 0, chosen, r * topK, topK);
        }
        return weigh(logits, rows, experts, chosen, topK, scale);
    }

    @Override
    public Routing weigh(Floats logits, int rows, int experts, int[] chosen, int topK, double scale) {
        float[] weights = new float[rows * topK];
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            for (int k = 0; k < topK; k++) {
                sum += Scalar.sqrtSoftplus(doubles(logits)[r * experts + chosen[r * topK + k]]);
            }
            for (int k = 0; k < topK; k++) {
                double score = Scalar.sqrtSoftplus(doubles(logits)[r * experts + chosen[r * topK + k]]);
                weights[r * topK + k] = (float) (score / sum * scale);
            }
        }
        return Routing.of(chosen, weights, topK);
    }

    @Override
    public void experts(
            Floats x, int rows, int dim, Routing routing, IntFunction<Swiglu> experts, double limit, Floats y) {
        double[] sum = doubles(y);
        Arrays.fill(sum, 0, rows * dim, 0);
        ExpertGroups groups = ExpertGroups.of(routing, rows);
        for (int g = 0; g < groups.size(); g++) {
            int[] members = groups.rows(g);
            Floats in = allocate(members.length * dim);
            gather(x, members, dim, in);
            double[] out = swiglu(in, members.length, experts.apply(groups.expert(g)), groups.weights(g), limit);
            for (int i = 0; i < members.length; i++) {
                for (int c = 0; c < dim; c++) {
                    sum[members[i] * dim + c] += out[i * dim + c];
                }
            }
        }
    }

    @Override
    public void addSwiglu(Floats x, int rows, Swiglu expert, double limit, Floats y) {
        double[] out = swiglu(x, rows, expert, null, limit);
        add(new HostDoubles(out), out.length, y);
    }

    private double[] swiglu(Floats x, int rows, Swiglu expert, float @Nullable [] weights, double limit) {
        int inner = expert.gate().rows();
        Floats gate = allocate(rows * inner);
        Floats up = allocate(rows * inner);
        matmul(x, rows, expert.gate(), gate);
        matmul(x, rows, expert.up(), up);
        double[] activation = doubles(gate);
        for (int i = 0; i < activation.length; i++) {
            double weight = weights == null ? 1 : weights[i / inner];
            activation[i] = Scalar.swiglu(activation[i], doubles(up)[i], limit) * weight;
        }
        HostDoubles out = new HostDoubles(new double[rows * expert.down().rows()]);
        matmul(gate, rows, expert.down(), out);
        return out.array();
    }

    @Override
    public void gather(Floats x, int[] indices, int dim, Floats out) {
        for (int i = 0; i < indices.length; i++) {
            System.arraycopy(doubles(x), indices[i] * dim, doubles(out), i * dim, dim);
        }
    }

    @Override
    public void add(Floats x, int count, Floats y) {
        for (int i = 0; i < count; i++) {
            doubles(y)[i] += doubles(x)[i];
        }
    }

    @Override
    public double[] logSumExp(Floats x, int rows, int dim) {
        double[] sums = new double[rows];
        for (int r = 0; r < rows; r++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < dim; i++) {
                max = Math.max(max, doubles(x)[r * dim + i]);
            }
            double sum = 0;
            for (int i = 0; i < dim; i++) {
                sum += Math.exp(doubles(x)[r * dim + i] - max);
            }
            sums[r] = max + Math.log(sum);
        }
        return sums;
    }

    @Override
    public void close() {
        // nothing is held
    }

    /// The storage of activations; small weights, which are stored as floats, widened.
    private static double[] doubles(Floats floats) {
        return switch (floats) {
            case HostDoubles host -> host.array();
            case HostFloats host -> widen(host.array());
            default -> throw new IllegalArgumentException("expected host memory, got " + floats.getClass());
        };
    }

    private static double[] widen(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static float[] narrow(double[] values, int at, int count) {
        float[] narrow = new float[count];
        for (int i = 0; i < count; i++) {
            narrow[i] = (float) values[at + i];
        }
        return narrow;
    }

    private static double dot(double[] a, int aOffset, double[] b, int bOffset, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += a[aOffset + i] * b[bOffset + i];
        }
        return sum;
    }
}
