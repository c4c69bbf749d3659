package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;
import static io.millrace.engine.kernel.VectorConstants.PANEL;
import static io.millrace.engine.kernel.VectorConstants.TILE;

import jdk.incubator.vector.FloatVector;

/// The one product that every fast path is made of: packed activations times a panel of PANEL output columns.
///
/// Each output element is one chain of fused multiply-adds over k in order, in a lane of its own. So its
/// bits depend on its row and its column alone: not on the tile's height, the vector's width or the row's
/// companions. No sum ever crosses lanes.
final class PanelProduct {
    private PanelProduct() {}

    /// Floats needed to pack `rows` rows of `cols`.
    static int packedSize(int rows, int cols) {
        return Math.ceilDiv(rows, TILE) * TILE * cols;
    }

    /// Packs rows into tiles: [tile][cols][TILE], the last tile's missing rows left as they are.
    ///
    /// @param stride floats from a row's start to the next one's
    static void pack(float[] x, int at, int stride, int rows, int cols, float[] packed, int packedAt) {
        for (int r = 0; r < rows; r++) {
            int from = at + r * stride;
            int to = packedAt + r / TILE * TILE * cols + r % TILE;
            for (int k = 0; k < cols; k++) {
                packed[to + k * TILE] = x[from + k];
            }
        }
    }

    /// `y[r, 0 .. width) = packed[r] panel`.
    ///
    /// @param panel [cols, PANEL]
    /// @param width columns of the panel that exist, at most PANEL
    /// @param yStride floats from an output row's start to the next one's
    static void multiply(
            float[] packed,
            int packedAt,
            int rows,
            int cols,
            float[] panel,
            float[] y,
            int yAt,
            int yStride,
            int width,
            float[] tile) {
        for (int r = 0; r < rows; r += TILE) {
            int height = Math.min(TILE, rows - r);
            int from = packedAt + r * cols;
            if (height == TILE) {
                tile(packed, from, cols, panel, tile);
            } else {
                for (int i = 0; i < height; i++) {
                    row(packed, from + i, cols, panel, tile, i * PANEL);
                }
            }
            for (int i = 0; i < height; i++) {
                System.arraycopy(tile, i * PANEL, y, yAt + (r + i) * yStride, width);
            }
        }
    }

    private static void row(float[] packed, int at, int cols, float[] panel, float[] out, int outAt) {
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = FloatVector.zero(FLOATS);
        for (int k = 0; k < cols; k++) {
            FloatVector x = FloatVector.broadcast(FLOATS, packed[at + k * TILE]);
            a = x.fma(FloatVector.fromArray(FLOATS, panel, k * PANEL), a);
            b = x.fma(FloatVector.fromArray(FLOATS, panel, k * PANEL + LANES), b);
        }
        a.intoArray(out, outAt);
        b.intoArray(out, outAt + LANES);
    }

    // eight rows by two vectors: sixteen accumulators stay in registers, two loads serve sixteen products
    private static void tile(float[] x, int at, int cols, float[] panel, float[] out) {
        FloatVector a0 = FloatVector.zero(FLOATS), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
        FloatVector a4 = a0, b4 = a0, a5 = a0, b5 = a0, a6 = a0, b6 = a0, a7 = a0, b7 = a0;
        for (int k = 0; k < cols; k++) {
            FloatVector a = FloatVector.fromArray(FLOATS, panel, k * PANEL);
            FloatVector b = FloatVector.fromArray(FLOATS, panel, k * PANEL + LANES);
            int p = at + k * TILE;
            a0 = a.fma(FloatVector.broadcast(FLOATS, x[p]), a0);
            b0 = b.fma(FloatVector.broadcast(FLOATS, x[p]), b0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, x[p + 1]), a1);
            b1 = b.fma(FloatVector.broadcast(FLOATS, x[p + 1]), b1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, x[p + 2]), a2);
            b2 = b.fma(FloatVector.broadcast(FLOATS, x[p + 2]), b2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, x[p + 3]), a3);
            b3 = b.fma(FloatVector.broadcast(FLOATS, x[p + 3]), b3);
            a4 = a.fma(FloatVector.broadcast(FLOATS, x[p + 4]), a4);
            b4 = b.fma(FloatVector.broadcast(FLOATS, x[p + 4]), b4);
            a5 = a.fma(FloatVector.broadcast(FLOATS, x[p + 5]), a5);
            b5 = b.fma(FloatVector.broadcast(FLOATS, x[p + 5]), b5);
            a6 = a.fma(FloatVector.broadcast(FLOATS, x[p + 6]), a6);
            b6 = b.fma(FloatVector.broadcast(FLOATS, x[p + 6]), b6);
            a7 = a.fma(FloatVector.broadcast(FLOATS, x[p + 7]), a7);
            b7 = b.fma(FloatVector.broadcast(FLOATS, x[p + 7]), b7);
        }
        store(a0, b0, out, 0);
        store(a1, b1, out, 1);
        store(a2, b2, out, 2);
        store(a3, b3, out, 3);
        store(a4, b4, out, 4);
        store(a5, b5, out, 5);
        store(a6, b6, out, 6);
        store(a7, b7, out, 7);
    }

    private static void store(FloatVector a, FloatVector b, float[] out, int row) {
        a.intoArray(out, row * PANEL);
        b.intoArray(out, row * PANEL + LANES);
    }
}
