package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.Pooling;

/// The compressor of one sequence in one layer: takes tokens one by one, keeps the window that is not yet
/// complete and writes a pooled row when it is (deepseek-v4.md section 5.2).
///
/// Overlapping windows keep two of them: state rows 0 .. ratio-1 are the previous window, of which the first
/// half of each row counts, rows ratio .. 2 ratio-1 the current one, of which the second half counts. A
/// state that has seen nothing has scores of minus infinity in the previous window.
final class WindowPool {
    private final Pooling shape;
    private final float[] ape;
    private final float[] values;
    private final float[] scores;

    WindowPool(Pooling shape, float[] ape, float[] values, float[] scores) {
        this.shape = shape;
        this.ape = ape;
        this.values = values;
        this.scores = scores;
    }

    void accept(float[] stepValues, float[] stepScores, PoolSpan span, float[] out) {
        int entry = span.firstEntry();
        for (int i = 0; i < span.rows(); i++) {
            int phase = (span.startPosition() + i) % shape.ratio();
            store(stepValues, stepScores, span.firstRow() + i, phase);
            if (phase == shape.ratio() - 1) {
                poolRow(out, entry * shape.dim());
                entry++;
                shift();
            }
        }
    }

    private void store(float[] stepValues, float[] stepScores, int row, int phase) {
        int width = shape.width();
        int to = (shape.overlapping() ? shape.ratio() + phase : phase) * width;
        System.arraycopy(stepValues, row * width, values, to, width);
        for (int c = 0; c < width; c++) {
            scores[to + c] = stepScores[row * width + c] + ape[phase * width + c];
        }
    }

    private void poolRow(float[] out, int to) {
        int stateRows = shape.stateRows();
        for (int c = 0; c < shape.dim(); c++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int r = 0; r < stateRows; r++) {
                max = Math.max(max, scores[place(r, c)]);
            }
            double sum = 0;
            double pooled = 0;
            for (int r = 0; r < stateRows; r++) {
                double weight = Math.exp(scores[place(r, c)] - max);
                sum += weight;
                pooled += weight * values[place(r, c)];
            }
            out[to + c] = (float) (pooled / sum);
        }
    }

    /// Where dimension c of state row r lies.
    private int place(int r, int c) {
        int half = shape.overlapping() && r >= shape.ratio() ? shape.dim() : 0;
        return r * shape.width() + half + c;
    }

    private void shift() {
        if (shape.overlapping()) {
            int half = shape.ratio() * shape.width();
            System.arraycopy(values, half, values, 0, half);
            System.arraycopy(scores, half, scores, 0, half);
        }
    }
}
