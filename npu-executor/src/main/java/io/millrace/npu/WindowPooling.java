package io.millrace.npu;

import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.tensor.Floats;
import java.util.List;

/// Softmax pooling of token windows. CANN's fused Compressor takes BF16, exists on A3 and Ascend 950 only and
/// keeps a state of its own layout, so this is composed: complete windows of all spans are laid out behind
/// one another and pooled together.
final class WindowPooling {
    private final CardMath math;

    WindowPooling(CardMath math) {
        this.math = math;
    }

    /// See {@link io.millrace.engine.kernel.Kernels#pool}.
    void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out) {
        int rows = spans.stream()
                .mapToInt(span -> span.firstRow() + span.rows())
                .max()
                .orElse(0);
        int windows = spans.stream().mapToInt(span -> windows(span, shape)).sum();
        if (rows == 0) {
            return;
        }
        try (Scratch scratch = math.scratch()) {
            Tensor in = math.tensor(values, rows, shape.width());
            Tensor gates = gates(scratch, scores, ape, shape, spans, rows);
            Tensor candidates = scratch.floats(Math.max(1, windows), shape.stateRows(), shape.dim());
            Tensor weights = scratch.floats(Math.max(1, windows), shape.stateRows(), shape.dim());
            int window = 0;
            for (PoolSpan span : spans) {
                gather(in, math.floats(span.stateValues()), shape, span, candidates, window);
                gather(gates, math.floats(span.stateScores()), shape, span, weights, window);
                window += windows(span, shape);
            }
            if (windows > 0) {
                pooled(scratch, candidates, weights, shape, spans, math.floats(out));
            }
        }
    }

    private static int phase(PoolSpan span, Pooling shape) {
        return span.startPosition() % shape.ratio();
    }

    /// Windows that a span completes.
    private static int windows(PoolSpan span, Pooling shape) {
        return (phase(span, shape) + span.rows()) / shape.ratio();
    }

    /// Scores with the term of each row's place in its window.
    private Tensor gates(Scratch scratch, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, int rows) {
        int[] phases = new int[rows];
        for (PoolSpan span : spans) {
            for (int i = 0; i < span.rows(); i++) {
                phases[span.firstRow() + i] = (span.startPosition() + i) % shape.ratio();
            }
        }
        Tensor gates = scratch.floats(rows, shape.width());
        Tensor places = math.ints(scratch, phases, rows);
        math.rows(math.tensor(ape, shape.ratio(), shape.width()), places, gates);
        math.accumulate(math.tensor(scores, rows, shape.width()), gates);
        return gates;
    }

    /// Lays a span's complete windows out and keeps what is pending in its state.
    ///
    /// @param rows [.., width]
    /// @param state [stateRows, width]
    /// @param windows [.., stateRows, dim]
    private void gather(Tensor rows, NpuFloats state, Pooling shape, PoolSpan span, Tensor windows, int at) {
        int width = shape.width();
        int ratio = shape.ratio();
        int phase = phase(span, shape);
        int count = windows(span, shape);
        int pending = shape.overlapping() ? ratio : 0;
        Tensor kept = state.tensor(shape.stateRows(), width);
        if (count == 0) {
            math.copyFloats(
                    rows,
                    (long) span.firstRow() * width,
                    kept,
                    (long) (pending + phase) * width,
                    (long) span.rows() * width);
            return;
        }
        try (Scratch scratch = math.scratch()) {
            int taken = count * ratio - phase;
            // with the window before, where windows overlap
            Tensor all = scratch.floats((long) (count * ratio + pending), width);
            math.copyFloats(kept, 0, all, 0, (long) (pending + phase) * width);
            math.copyFloats(
                    rows, (long) span.firstRow() * width, all, (long) (pending + phase) * width, (long) taken * width);
            Tensor target = windows.part(0, at, count);
            if (shape.overlapping()) {
                int dim = shape.dim();
                Tensor tiles = all.shaped(count + 1L, ratio, width);
                // the window before counts with the first halves of its rows, the current one with the second
                math.copy(tiles.part(0, 0, count).part(2, 0, dim), target.part(1, 0, ratio));
                math.copy(tiles.part(0, 1, count).part(2, dim, dim), target.part(1, ratio, ratio));
                math.copyFloats(all, (long) count * ratio * width, kept, 0, (long) ratio * width);
            } else {
                math.copyFloats(all, 0, target, 0, (long) count * ratio * width);
            }
            math.copyFloats(
                    rows,
                    (long) (span.firstRow() + taken) * width,
                    kept,
                    (long) pending * width,
                    (long) (span.rows() - taken) * width);
        }
    }

    private void pooled(
            Scratch scratch, Tensor candidates, Tensor weights, Pooling shape, List<PoolSpan> spans, NpuFloats out) {
        Tensor shares = scratch.floats(weights.dims());
        math.softmax(weights, 1, shares);
        math.multiply(shares, candidates, shares);
        Tensor rows = scratch.floats(weights.dims()[0], shape.dim());
        math.sum(shares, 1, rows);
        int window = 0;
        for (PoolSpan span : spans) {
            int count = windows(span, shape);
            math.copyFloats(
                    rows,
                    (long) window * shape.dim(),
                    out.tensor(out.size()),
                    (long) span.firstEntry() * shape.dim(),
                    (long) count * shape.dim());
            window += count;
        }
    }
}
