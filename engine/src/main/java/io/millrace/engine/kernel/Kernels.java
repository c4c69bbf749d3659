package io.millrace.engine.kernel;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// The vocabulary of maths a model is written in. Every operation works on many rows at once, and a row's
/// result does not depend on its companions: each output element has one reduction order of its own. Shapes
/// are row-major; outputs never alias inputs unless said.
///
/// Rings: {@link ReferenceKernels} is the truth, in double precision; {@link VectorKernels} its fast twin,
/// in float.
public interface Kernels extends AutoCloseable {
    /// The ring's name, with the reason it was chosen.
    String description();

    /// Zeroed floats on the device.
    Floats allocate(int size);

    /// A copy of host values on the device.
    Floats upload(float[] values);

    /// A copy of host values on the device, in its own precision.
    Floats upload(double[] values);

    /// Copies `count` floats from the device.
    void read(Floats source, int sourceOffset, float[] target, int targetOffset, int count);

    /// Copies floats on the device.
    void copy(Floats source, int sourceOffset, Floats target, int targetOffset, int count);

    /// `out[r, c, :] = embed[tokens[r], :]` for each of `copies` streams.
    ///
    /// @param embed [V, D]
    /// @param out [rows, copies, D]
    void embed(Matrix embed, int[] tokens, int rows, int copies, Floats out);

    /// `y = x wᵀ`.
    ///
    /// @param x [rows, w.cols]
    /// @param y [rows, w.rows]
    void matmul(Floats x, int rows, Matrix w, Floats y);

    /// One product per group: `y[r, g, :] = w[g] x[r, g, :]`, the rows of w group-major.
    ///
    /// @param x [rows, groups, w.cols]
    /// @param y [rows, groups, w.rows / groups]
    void groupedMatmul(Floats x, int rows, Matrix w, int groups, Floats y);

    /// `y = x (mean(x²) + eps)^-½ weight`; weight null for none; y may be x.
    ///
    /// @param x [rows, dim]
    void rmsNorm(Floats x, int rows, int dim, @Nullable Floats weight, double eps, Floats y);

    /// Rotates the trailing floats of every head in place, in interleaved pairs (deepseek-v4.md section 2.4).
    ///
    /// @param x [rows, heads, dim]
    /// @param angles [rows, pairs, 2] cosines and sines; 2 pairs trailing floats are rotated
    void rotate(Floats x, int rows, int heads, int dim, Floats angles, int pairs, Rotation rotation);

    /// Which way {@link #rotate} turns.
    enum Rotation {
        FORWARD,
        INVERSE
    }

    /// FP8 round trip of the leading `length` floats of each row, in place (section 2.9).
    void roundFp8(Floats x, int rows, int dim, int length, int block);

    /// Hadamard transform and FP4 round trip of each row, in place (section 2.9).
    void hadamardRoundFp4(Floats x, int rows, int dim, int block);

    /// The mixing weights of a hyper-connection site and the collapsed stream (section 2.3, steps 1 to 6).
    ///
    /// @param streams [rows, n, dim]
    /// @param collapsed [rows, dim]
    /// @param post [rows, n]
    /// @param combine [rows, n, n], source stream by destination stream
    void hyperMix(Floats streams, int rows, int dim, HyperSite site, Floats collapsed, Floats post, Floats combine);

    /// A hyper-connection site.
    ///
    /// @param n streams
    /// @param fn [(2+n)n, n dim]
    /// @param base [(2+n)n]
    /// @param scale [3]
    /// @param iterations of Sinkhorn's normalisation, the softmax counted as the first
    /// @param eps added where the model adds it
    /// @param normEps of the root mean square over all streams
    record HyperSite(int n, Matrix fn, Floats base, Floats scale, int iterations, double eps, double normEps) {}

    /// `streams[k] = post[k] y + Σ_j combine[j][k] streams[j]`, in place (step 7).
    ///
    /// @param y [rows, dim]
    void hyperExpand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Floats streams);

    /// Collapses the streams before the output head.
    ///
    /// @param site fn [n, n dim], base [n], scale [1]; iterations unused
    void hyperCollapse(Floats streams, int rows, int dim, HyperSite site, Floats collapsed);

    /// Softmax pooling of token windows into compressed rows, per dimension (section 2.7 and 5.2). Updates
    /// each span's pending state and writes the rows that became complete.
    ///
    /// @param values [rows, width]
    /// @param scores [rows, width], without the positional term
    /// @param ape [ratio, width]
    /// @param out [entries, dim]
    void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out);

    /// @param ratio tokens per compressed row
    /// @param dim floats of a compressed row
    /// @param overlapping each row also covers the window before; then width = 2 dim and the state has 2
    ///     ratio rows
    record Pooling(int ratio, int dim, boolean overlapping) {
        public int width() {
            return overlapping ? 2 * dim : dim;
        }

        public int stateRows() {
            return overlapping ? 2 * ratio : ratio;
        }
    }

    /// Consecutive tokens of one sequence.
    ///
    /// @param firstRow of the step's rows
    /// @param startPosition position of the first row in its sequence
    /// @param stateValues [stateRows, width]
    /// @param stateScores [stateRows, width]
    /// @param firstEntry where the span's completed rows go in `out`
    record PoolSpan(
            int firstRow, int rows, int startPosition, Floats stateValues, Floats stateScores, int firstEntry) {}

    /// Consecutive tokens of one sequence, and the rows pooled from it, oldest first.
    ///
    /// @param firstRow of the step's rows
    /// @param startPosition position of the first row in its sequence
    /// @param pages of pooled rows [.., dim], equally many in each; the cache's own list
    /// @param ratio tokens of a pooled row: position p may see the first (p + 1) / ratio of them; 0 for none
    record PooledSpan(int firstRow, int rows, int startPosition, List<Floats> pages, int ratio) {
        /// Pooled rows that the span's row `i` may see.
        public int pooled(int i) {
            return ratio == 0 ? 0 : (startPosition + i + 1) / ratio;
        }
    }

    /// Consecutive tokens of one sequence that also see a sliding window: themselves and those before them.
    ///
    /// @param window rows [size, dim] of positions before the span, position p at row p mod size
    /// @param size positions that a query sees, its own included
    record WindowSpan(PooledSpan pooled, Floats window, int size) {
        /// The oldest position that the span's row `i` sees.
        public int oldest(int i) {
            return Math.max(0, pooled.startPosition() + i - size + 1);
        }
    }

    /// Chooses pooled rows for each query (section 2.8): `score_j = Σ_h w_h max(0, q_h · k_j)`, the `topK`
    /// largest, ties to the lower index; all of them where there are no more than topK.
    ///
    /// @param q [rows, heads, dim]
    /// @param headWeights [rows, heads]
    /// @return for each of the step's rows the chosen pooled rows, ascending
    int[][] indexTopK(Floats q, Floats headWeights, int heads, int dim, List<PooledSpan> spans, int topK);

    /// Attention in which keys are also values and all heads share them, with a sink logit per head in the
    /// denominator (section 2.5). A query sees its window and pooled rows.
    ///
    /// @param q [rows, heads, dim]
    /// @param keyValue the step's own keys [rows, dim]
    /// @param chosen for each of the step's rows the pooled rows it sees, ascending; null for all it may
    /// @param sink [heads]
    /// @param out [rows, heads, dim]
    void attend(
            Floats q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            Floats sink,
            double scale,
            Floats out);

    /// Rotates every head in place, its first half against its second: pair i is floats i and i + dim / 2.
    ///
    /// @param x [rows, heads, dim], dim even
    /// @param angles [rows, dim / 2, 2] cosines and sines
    void rotateHalves(Floats x, int rows, int heads, int dim, Floats angles);

    /// Keys and values of consecutive positions, kept in pages.
    ///
    /// @param heads key-value heads
    /// @param dim floats of a head
    record KeyValueShape(int heads, int dim) {
        /// Positions of a page: a multiple of every panel's width.
        public static final int PAGE_ROWS = 32;

        /// Floats of a page. In which order they lie is the ring's own affair.
        public int pageFloats() {
            return 2 * PAGE_ROWS * heads * dim;
        }
    }

    /// Consecutive tokens of one sequence.
    ///
    /// @param firstRow of the step's rows
    /// @param startPosition position of the first row in its sequence
    /// @param pages [pageFloats] each, for the positions from 0 to the span's last
    record CausalSpan(int firstRow, int rows, int startPosition, List<Floats> pages) {
        public CausalSpan {
            pages = List.copyOf(pages);
        }
    }

    /// Keeps the keys and values of each span's rows in its pages.
    ///
    /// @param keys [rows, shape.heads, shape.dim]
    /// @param values [rows, shape.heads, shape.dim]
    void keep(Floats keys, Floats values, KeyValueShape shape, List<CausalSpan> spans);

    /// Attention in which a query sees its own position and all before it, from the pages; equal groups of
    /// query heads share a key-value head.
    ///
    /// @param q [rows, heads, shape.dim], heads a multiple of shape.heads
    /// @param out [rows, heads, shape.dim]
    void attendCausal(Floats q, int heads, KeyValueShape shape, List<CausalSpan> spans, double scale, Floats out);

    /// Picks the `topK` experts of each row with the largest logits, ties to the lower index.
    ///
    /// @param logits [rows, experts]
    Routing routeSoftmax(Floats logits, int rows, int experts, int topK, SoftmaxOver over);

    /// What the weights of chosen experts are shares of.
    enum SoftmaxOver {
        /// All experts: a row's weights sum to less than one.
        ALL,
        /// The chosen ones: a row's weights sum to one.
        CHOSEN
    }

    /// Scores experts and picks `topK` of each row by `sqrt(softplus(logit)) + bias`; weights are the
    /// unbiased scores, normalised and scaled (section 3.1).
    ///
    /// @param logits [rows, experts]
    Routing route(Floats logits, int rows, int experts, @Nullable Floats bias, int topK, double scale);

    /// Weights for experts chosen elsewhere.
    ///
    /// @param chosen [rows, topK]
    Routing weigh(Floats logits, int rows, int experts, int[] chosen, int topK, double scale);

    /// The experts of each row. Kernels take the routing that they made without a look at it from outside:
    /// on a card it stays there.
    interface Routing {
        /// On the host: [rows, topK].
        int[] experts();

        /// On the host: [rows, topK].
        float[] weights();

        int topK();

        /// A routing that lies on the host.
        static Routing of(int[] experts, float[] weights, int topK) {
            return new HostRouting(experts, weights, topK);
        }
    }

    /// @param experts [rows, topK]
    /// @param weights [rows, topK]
    @SuppressWarnings("ArrayRecordComponent") // built once a layer and read in the innermost loops
    record HostRouting(int[] experts, float[] weights, int topK) implements Routing {}

    /// `y[r] = Σ_slot expert(r, slot)(x[r])`: rows grouped by expert, so that a touched expert is read once;
    /// each row sums its experts in the order of their indices. The slot's weight multiplies the activation
    /// before `down`.
    ///
    /// @param x [rows, dim]
    /// @param limit clamps up to ±limit and gate to at most limit; 0 for no clamp
    /// @param y [rows, dim]
    void experts(Floats x, int rows, int dim, Routing routing, IntFunction<Swiglu> experts, double limit, Floats y);

    /// `y += swiglu(x)` with weight one, for a shared expert.
    void addSwiglu(Floats x, int rows, Swiglu expert, double limit, Floats y);

    /// Rows of x by index.
    ///
    /// @param out [indices.length, dim]
    void gather(Floats x, int[] indices, int dim, Floats out);

    /// `y += x`, elementwise over `count` floats.
    void add(Floats x, int count, Floats y);

    /// `ln Σ e^x` of each row.
    ///
    /// @param x [rows, dim]
    double[] logSumExp(Floats x, int rows, int dim);

    @Override
    void close();
}
