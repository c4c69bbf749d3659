package io.millrace.npu;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.npu.Card.Direction;
import io.millrace.npu.Launcher.Scalar;
import org.jspecify.annotations.Nullable;

/// Operators by what they compute, for the kernels that are composed of them. Nothing here waits for the
/// card.
final class CardMath {
    private static final Scalar ONE = new Scalar(1, AclType.FLOAT);

    final Card card;
    final MemoryPool pool;
    final Launcher launcher;
    final Transfers transfers;
    final Residents residents;

    CardMath(Card card, MemoryPool pool, Launcher launcher, Transfers transfers, Residents residents) {
        this.card = card;
        this.pool = pool;
        this.launcher = launcher;
        this.transfers = transfers;
        this.residents = residents;
    }

    Scratch scratch() {
        return new Scratch(pool);
    }

    /// Floats of ours, or small weights of the host, which come to the card the first time.
    NpuFloats floats(Floats floats) {
        return switch (floats) {
            case NpuFloats own -> own;
            case HostFloats host -> residents.vector(host);
            default -> throw new IllegalArgumentException("expected floats of a card, got " + floats.getClass());
        };
    }

    Tensor tensor(Floats floats, long... dims) {
        return floats(floats).tensor(dims);
    }

    private static Scalar scalar(double value) {
        return value == 1 ? ONE : new Scalar(value, AclType.FLOAT);
    }

    void multiply(Tensor a, Tensor b, Tensor out) {
        launcher.run(Operator.MUL, a, b, out);
    }

    void scale(Tensor a, double factor, Tensor out) {
        launcher.run(Operator.MULS, a, scalar(factor), out);
    }

    void divide(Tensor a, Tensor b, Tensor out) {
        launcher.run(Operator.DIV, a, b, out);
    }

    void add(Tensor a, Tensor b, Tensor out) {
        launcher.run(Operator.ADD, a, b, ONE, out);
    }

    void subtract(Tensor a, Tensor b, Tensor out) {
        launcher.run(Operator.SUB, a, b, ONE, out);
    }

    void shift(Tensor a, double by, Tensor out) {
        launcher.run(Operator.ADDS, a, scalar(by), ONE, out);
    }

    /// `out += a`.
    void accumulate(Tensor a, Tensor out) {
        launcher.run(Operator.INPLACE_ADD, out, a, ONE);
    }

    /// @param min null for none
    /// @param max null for none
    void clamp(Tensor a, @Nullable Double min, @Nullable Double max, Tensor out) {
        launcher.run(Operator.CLAMP, a, min == null ? null : scalar(min), max == null ? null : scalar(max), out);
    }

    void sigmoid(Tensor a, Tensor out) {
        launcher.run(Operator.SIGMOID, a, out);
    }

    void softmax(Tensor a, long dim, Tensor out) {
        launcher.run(Operator.SOFTMAX, a, dim, out);
    }

    /// Sums over a dimension, which stays with one element.
    void sum(Tensor a, int dim, Tensor out) {
        boolean keep = out.dims().length == a.dims().length;
        launcher.run(Operator.REDUCE_SUM, a, new long[] {dim}, keep, AclType.FLOAT, out);
    }

    /// Largest over a dimension, which stays with one element.
    void largest(Tensor a, int dim, Tensor out) {
        launcher.run(Operator.AMAX, a, new long[] {dim}, true, out);
    }

    /// @param a [rows, k]
    /// @param b [k, cols]
    void matmul(Tensor a, Tensor b, Tensor out) {
        launcher.run(Operator.MM, a, b, out, (byte) 0);
    }

    /// @param a [n, rows, k]
    /// @param b [n, k, cols]
    void batchMatmul(Tensor a, Tensor b, Tensor out) {
        launcher.run(Operator.BATCH_MATMUL, a, b, out, (byte) 0);
    }

    void cast(Tensor a, Tensor out) {
        launcher.run(Operator.CAST, a, out.type(), out);
    }

    /// Copies into any view, repeating what is smaller.
    void copy(Tensor from, Tensor to) {
        launcher.run(Operator.INPLACE_COPY, to, from);
    }

    /// Copies memory as it lies.
    void copyFloats(long from, long to, long count) {
        if (count > 0) {
            card.copy(Direction.ON_DEVICE, to, from, count * Float.BYTES, card.computeStream());
        }
    }

    /// The elements of a dense view.
    void copyFloats(Tensor from, long fromElement, Tensor to, long toElement, long count) {
        copyFloats(from.firstAddress() + fromElement * Float.BYTES, to.firstAddress() + toElement * Float.BYTES, count);
    }

    /// Largest first or smallest first; equal ones keep their order.
    ///
    /// @param places INT64, of the sorted ones' former places
    void sort(Tensor a, long dim, boolean descending, Tensor values, Tensor places) {
        launcher.run(Operator.SORT, a, true, dim, descending, values, places);
    }

    void gather(Tensor a, long dim, Tensor index, Tensor out) {
        launcher.run(Operator.GATHER, a, dim, index, out);
    }

    /// Rows of `a` by index.
    void rows(Tensor a, Tensor index, Tensor out) {
        launcher.run(Operator.INDEX_SELECT, a, 0L, index, out);
    }

    /// `y = x (mean(x²) + eps)^-½ gamma`, x and y apart.
    void rmsNorm(Tensor x, NpuFloats gamma, double eps, Tensor y) {
        try (Scratch scratch = scratch()) {
            long[] dims = x.dims().clone();
            dims[dims.length - 1] = 1;
            Tensor rstd = scratch.floats(dims);
            launcher.run(Operator.RMS_NORM, x, gamma.tensor(gamma.size()), eps, y, rstd);
        }
    }

    /// Integers on the card.
    Tensor ints(Scratch scratch, int[] values, long... dims) {
        Tensor ints = scratch.tensor(AclType.INT32, dims);
        transfers.upload(values, ints.address());
        return ints;
    }

    Tensor uploaded(Scratch scratch, float[] values, long... dims) {
        Tensor floats = scratch.floats(dims);
        transfers.upload(values, 0, values.length, floats.address());
        return floats;
    }
}
