package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// The compressor of one sequence's tokens in one step (deepseek-v4.md section 5.2). Completed windows are
/// pooled each on its own, in any order, from the state and the step's rows; then {@link #advance} leaves in
/// the state what later steps need.
///
/// Overlapping windows keep two of them: state rows 0 .. ratio-1 are the previous window, of which the first
/// half of each row counts, rows ratio .. 2 ratio-1 the current one, of which the second half counts. A
/// state that has seen nothing has scores of minus infinity in the previous window.
final class WindowPool {
    private final Pooling shape;
    private final PoolSpan span;
    private final float[] stepValues;
    private final float[] stepScores;
    private final float[] ape;
    private final float[] stateValues;
    private final float[] stateScores;

    /// @param stepValues [rows, width]
    /// @param stepScores [rows, width], without the positional term
    WindowPool(
            Pooling shape,
            PoolSpan span,
            float[] stepValues,
            float[] stepScores,
            float[] ape,
            float[] stateValues,
            float[] stateScores) {
        this.shape = shape;
        this.span = span;
        this.stepValues = stepValues;
        this.stepScores = stepScores;
        this.ape = ape;
        this.stateValues = stateValues;
        this.stateScores = stateScores;
    }

    /// Windows that the span completes.
    int entries() {
        return (span.startPosition() + span.rows()) / shape.ratio() - firstWindow();
    }

    private int firstWindow() {
        return span.startPosition() / shape.ratio();
    }

    /// One worker's memory: a window's scores [stateRows, dim] and sums [3, dim].
    static final class Scratch {
        private float[] scores = new float[0];
        private float[] max = new float[0];
        private float[] sum = new float[0];
        private float[] pooled = new float[0];

        private void fit(Pooling shape) {
            if (scores.length < shape.stateRows() * shape.dim()) {
                scores = new float[shape.stateRows() * shape.dim()];
            }
            if (sum.length < shape.dim()) {
                max = new float[shape.dim()];
                sum = new float[shape.dim()];
                pooled = new float[shape.dim()];
            }
        }
    }

    /// Pools the span's `entry`-th completed window: a softmax over its rows, each dimension on its own.
    void pool(int entry, float[] out, Scratch own) {
        own.fit(shape);
        int dim = shape.dim();
        int window = firstWindow() + entry;
        Arrays.fill(own.max, 0, dim, Float.NEGATIVE_INFINITY);
        Arrays.fill(own.sum, 0, dim, 0);
        Arrays.fill(own.pooled, 0, dim, 0);
        for (int r = 0; r < shape.stateRows(); r++) {
            score(window, r, own);
        }
        for (int r = 0; r < shape.stateRows(); r++) {
            accumulate(window, r, own);
        }
        int to = (span.firstEntry() + entry) * dim;
        for (int c = 0; c < dim; c++) {
            out[to + c] = own.pooled[c] / own.sum[c];
        }
    }

    /// The token of row r of a window's state, counted from the step's first: negative if it came earlier.
    private int token(int window, int r) {
        int first = shape.overlapping() ? (window - 1) * shape.ratio() : window * shape.ratio();
        return first + r - span.startPosition();
    }

    /// Which half of row r counts.
    private int half(int r) {
        return shape.overlapping() && r >= shape.ratio() ? shape.dim() : 0;
    }

    /// Where row r of a window lies in the state: the window before the first completed one is its previous
    /// one.
    private int stateRow(int window, int r) {
        return shape.overlapping() && window > firstWindow() ? r + shape.ratio() : r;
    }

    /// Row r's scores into scratch, the largest so far into `max`.
    private void score(int window, int r, Scratch own) {
        int token = token(window, r);
        int to = r * shape.dim();
        if (token < 0) {
            int from = stateRow(window, r) * shape.width() + half(r);
            System.arraycopy(stateScores, from, own.scores, to, shape.dim());
        } else {
            int from = (span.firstRow() + token) * shape.width() + half(r);
            add(stepScores, from, ape, r % shape.ratio() * shape.width() + half(r), shape.dim(), own.scores, to);
        }
        int bound = FLOATS.loopBound(shape.dim());
        for (int c = 0; c < bound; c += LANES) {
            FloatVector score = FloatVector.fromArray(FLOATS, own.scores, to + c);
            score.max(FloatVector.fromArray(FLOATS, own.max, c)).intoArray(own.max, c);
        }
        for (int c = bound; c < shape.dim(); c++) {
            own.max[c] = Math.max(own.max[c], own.scores[to + c]);
        }
    }

    /// `out = x + y`.
    private static void add(float[] x, int at, float[] y, int yAt, int count, float[] out, int to) {
        int bound = FLOATS.loopBound(count);
        for (int c = 0; c < bound; c += LANES) {
            FloatVector sum = FloatVector.fromArray(FLOATS, x, at + c).add(FloatVector.fromArray(FLOATS, y, yAt + c));
            sum.intoArray(out, to + c);
        }
        for (int c = bound; c < count; c++) {
            out[to + c] = x[at + c] + y[yAt + c];
        }
    }

    /// Adds row r, weighted by `e^(score - max)`.
    private void accumulate(int window, int r, Scratch own) {
        int token = token(window, r);
        float[] values = token < 0 ? stateValues : stepValues;
        int row = token < 0 ? stateRow(window, r) : span.firstRow() + token;
        accumulate(values, row * shape.width() + half(r), r * shape.dim(), shape.dim(), own);
    }

    private static void accumulate(float[] values, int at, int scoresAt, int dim, Scratch own) {
        int bound = FLOATS.loopBound(dim);
        for (int c = 0; c < bound; c += LANES) {
            FloatVector weight = VectorMath.exp(FloatVector.fromArray(FLOATS, own.scores, scoresAt + c)
                    .sub(FloatVector.fromArray(FLOATS, own.max, c)));
            FloatVector.fromArray(FLOATS, own.sum, c).add(weight).intoArray(own.sum, c);
            FloatVector.fromArray(FLOATS, values, at + c)
                    .fma(weight, FloatVector.fromArray(FLOATS, own.pooled, c))
                    .intoArray(own.pooled, c);
        }
        if (bound < dim) {
            VectorMask<Float> rest = FLOATS.indexInRange(bound, dim);
            FloatVector weight = VectorMath.exp(FloatVector.fromArray(FLOATS, own.scores, scoresAt + bound, rest)
                    .sub(FloatVector.fromArray(FLOATS, own.max, bound, rest)));
            FloatVector sum = FloatVector.fromArray(FLOATS, own.sum, bound, rest);
            sum.add(weight).intoArray(own.sum, bound, rest);
            FloatVector.fromArray(FLOATS, values, at + bound, rest)
                    .fma(weight, FloatVector.fromArray(FLOATS, own.pooled, bound, rest))
                    .intoArray(own.pooled, bound, rest);
        }
    }

    /// Brings the state to the end of the span; to be called when all windows are pooled. Only tokens of the
    /// last completed window and after it matter.
    void advance() {
        int end = span.startPosition() + span.rows();
        int needed = (end / shape.ratio() - 1) * shape.ratio();
        for (int i = Math.max(0, needed - span.startPosition()); i < span.rows(); i++) {
            int phase = (span.startPosition() + i) % shape.ratio();
            store(span.firstRow() + i, phase);
            if (phase == shape.ratio() - 1) {
                shift();
            }
        }
    }

    private void store(int row, int phase) {
        int width = shape.width();
        int to = (shape.overlapping() ? shape.ratio() + phase : phase) * width;
        System.arraycopy(stepValues, row * width, stateValues, to, width);
        add(stepScores, row * width, ape, phase * width, width, stateScores, to);
    }

    private void shift() {
        if (shape.overlapping()) {
            int half = shape.ratio() * shape.width();
            System.arraycopy(stateValues, half, stateValues, 0, half);
            System.arraycopy(stateScores, half, stateScores, 0, half);
        }
    }
}
