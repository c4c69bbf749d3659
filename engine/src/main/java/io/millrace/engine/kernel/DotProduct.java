package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/// `y = x wᵀ` for a w of few rows of floats, read where it lies: lanes run along the columns, so that neither
/// side is rearranged first. Confined to one worker.
///
/// Each output element is sixteen chains of fused multiply-adds, column k in chain k mod 16, added up by
/// halves: its bits depend on its row alone, not on the vector's width.
final class DotProduct {
    private static final int CHAINS = 16;
    private static final int TILE = 4;

    /// [row of the tile][row of w in the tile][chain]
    private final float[] chains = new float[TILE * TILE * CHAINS];

    /// @param x [rows, cols] from `at`
    /// @param w [outputs, cols], little-endian floats
    /// @param y [rows, outputs] from 0
    void multiply(float[] x, int at, int rows, int cols, MemorySegment w, int outputs, float[] y) {
        for (int r = 0; r < rows; r += TILE) {
            for (int n = 0; n < outputs; n += TILE) {
                int height = Math.min(TILE, rows - r);
                int width = Math.min(TILE, outputs - n);
                products(x, at + r * cols, height, cols, w, n, width);
                for (int i = 0; i < height; i++) {
                    for (int j = 0; j < width; j++) {
                        y[(r + i) * outputs + n + j] = fold((i * TILE + j) * CHAINS);
                    }
                }
            }
        }
    }

    private void products(float[] x, int at, int height, int cols, MemorySegment w, int n, int width) {
        long from = (long) n * cols * Float.BYTES;
        int whole = cols / CHAINS * CHAINS;
        for (int chain = 0; chain < CHAINS; chain += LANES) {
            if (height == TILE && width == TILE) {
                tile(x, at + chain, whole, cols, w, from + (long) chain * Float.BYTES, chain);
            } else {
                for (int i = 0; i < height; i++) {
                    row(x, at + i * cols + chain, whole, cols, w, from + (long) chain * Float.BYTES, width, i, chain);
                }
            }
        }
        for (int k = whole; k < cols; k++) {
            rest(x, at + k, height, cols, w, from + (long) k * Float.BYTES, width, k - whole);
        }
    }

    // four rows by four rows of w: sixteen accumulators stay in registers, eight loads serve sixteen products
    private void tile(float[] x, int at, int whole, int cols, MemorySegment w, long from, int chain) {
        FloatVector a0 = FloatVector.zero(FLOATS), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        FloatVector c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
        long next = (long) cols * Float.BYTES;
        for (int k = 0; k < whole; k += CHAINS) {
            FloatVector p = FloatVector.fromArray(FLOATS, x, at + k);
            FloatVector q = FloatVector.fromArray(FLOATS, x, at + cols + k);
            FloatVector r = FloatVector.fromArray(FLOATS, x, at + 2 * cols + k);
            FloatVector s = FloatVector.fromArray(FLOATS, x, at + 3 * cols + k);
            long column = from + (long) k * Float.BYTES;
            FloatVector v = weights(w, column);
            a0 = v.fma(p, a0);
            b0 = v.fma(q, b0);
            c0 = v.fma(r, c0);
            d0 = v.fma(s, d0);
            v = weights(w, column + next);
            a1 = v.fma(p, a1);
            b1 = v.fma(q, b1);
            c1 = v.fma(r, c1);
            d1 = v.fma(s, d1);
            v = weights(w, column + 2 * next);
            a2 = v.fma(p, a2);
            b2 = v.fma(q, b2);
            c2 = v.fma(r, c2);
            d2 = v.fma(s, d2);
            v = weights(w, column + 3 * next);
            a3 = v.fma(p, a3);
            b3 = v.fma(q, b3);
            c3 = v.fma(r, c3);
            d3 = v.fma(s, d3);
        }
        store(a0, a1, a2, a3, chain);
        store(b0, b1, b2, b3, TILE * CHAINS + chain);
        store(c0, c1, c2, c3, 2 * TILE * CHAINS + chain);
        store(d0, d1, d2, d3, 3 * TILE * CHAINS + chain);
    }

    private void row(float[] x, int at, int whole, int cols, MemorySegment w, long from, int width, int i, int chain) {
        int to = i * TILE * CHAINS + chain;
        if (width == TILE) {
            row(x, at, whole, cols, w, from, to);
            return;
        }
        for (int j = 0; j < width; j++) {
            FloatVector sum = FloatVector.zero(FLOATS);
            long start = from + (long) j * cols * Float.BYTES;
            for (int k = 0; k < whole; k += CHAINS) {
                sum = weights(w, start + (long) k * Float.BYTES).fma(FloatVector.fromArray(FLOATS, x, at + k), sum);
            }
            sum.intoArray(chains, to + j * CHAINS);
        }
    }

    // one row by four rows of w: four chains at a time hide the latency of the multiply-add
    private void row(float[] x, int at, int whole, int cols, MemorySegment w, long from, int to) {
        FloatVector a = FloatVector.zero(FLOATS), b = a, c = a, d = a;
        long next = (long) cols * Float.BYTES;
        for (int k = 0; k < whole; k += CHAINS) {
            FloatVector p = FloatVector.fromArray(FLOATS, x, at + k);
            long column = from + (long) k * Float.BYTES;
            a = weights(w, column).fma(p, a);
            b = weights(w, column + next).fma(p, b);
            c = weights(w, column + 2 * next).fma(p, c);
            d = weights(w, column + 3 * next).fma(p, d);
        }
        store(a, b, c, d, to);
    }

    private void rest(float[] x, int at, int height, int cols, MemorySegment w, long from, int width, int chain) {
        for (int i = 0; i < height; i++) {
            for (int j = 0; j < width; j++) {
                float weight = w.get(RowDecoder.FLOAT, from + (long) j * cols * Float.BYTES);
                int to = (i * TILE + j) * CHAINS + chain;
                chains[to] = Math.fma(weight, x[at + i * cols], chains[to]);
            }
        }
    }

    private static FloatVector weights(MemorySegment w, long from) {
        return FloatVector.fromMemorySegment(FLOATS, w, from, ByteOrder.LITTLE_ENDIAN);
    }

    private void store(FloatVector a, FloatVector b, FloatVector c, FloatVector d, int to) {
        a.intoArray(chains, to);
        b.intoArray(chains, to + CHAINS);
        c.intoArray(chains, to + 2 * CHAINS);
        d.intoArray(chains, to + 3 * CHAINS);
    }

    private float fold(int from) {
        for (int half = CHAINS / 2; half >= 1; half /= 2) {
            for (int i = from; i < from + half; i++) {
                chains[i] += chains[i + half];
            }
        }
        return chains[from];
    }
}
