package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import io.millrace.engine.tensor.HostFloats;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Products of one row's query heads with its keys. A lane is a head: the few queries are transposed and the
/// many keys are read where they lie, so there is nothing to prepare once for several rows. Each score is
/// one chain of fused multiply-adds along the dimension. Confined to one worker.
final class KeyScores {
    /// Keys of a tile: with two vectors of heads each, sixteen accumulators.
    private static final int TILE = 8;

    private final float[][] pages = new float[TILE][];
    private final int[] offsets = new int[TILE];
    private float[] queries = new float[0];
    private float[] scores = new float[0];
    private int width;

    /// Floats from one key's scores to the next one's: the heads, rounded up to vectors by the power of two.
    int width() {
        return width;
    }

    /// [keys, width], the lanes beyond the heads zero. Good until the next call.
    float[] scores() {
        return scores;
    }

    /// @param q [heads, dim] from `at`
    void compute(float[] q, int at, int heads, int dim, KeyList keys) {
        int count = keys.size();
        width = Math.max(LANES, Integer.highestOneBit(2 * heads - 1));
        scores = FloatArrays.grown(scores, (count + TILE) * width);
        transpose(q, at, heads, dim);
        for (int j = 0; j < count; j += TILE) {
            for (int i = 0; i < TILE; i++) {
                // the last tile repeats the last key: those products are not read
                int key = Math.min(j + i, count - 1);
                pages[i] = ((HostFloats) keys.page(key)).array();
                offsets[i] = keys.offset(key);
            }
            int h = 0;
            for (; h + 2 * LANES <= width; h += 2 * LANES) {
                wideTile(h, dim, j * width + h);
            }
            if (h < width) {
                tile(dim, j * width);
            }
        }
        Arrays.fill(pages, null);
    }

    private void transpose(float[] q, int at, int heads, int dim) {
        queries = FloatArrays.grown(queries, dim * width);
        for (int h = 0; h < width; h++) {
            for (int c = 0; c < dim; c++) {
                queries[c * width + h] = h < heads ? q[at + h * dim + c] : 0;
            }
        }
    }

    private void wideTile(int h, int dim, int to) {
        float[] x = queries;
        float[] k0 = pages[0], k1 = pages[1], k2 = pages[2], k3 = pages[3];
        float[] k4 = pages[4], k5 = pages[5], k6 = pages[6], k7 = pages[7];
        int o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3];
        int o4 = offsets[4], o5 = offsets[5], o6 = offsets[6], o7 = offsets[7];
        FloatVector a0 = FloatVector.zero(FLOATS), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
        FloatVector a4 = a0, b4 = a0, a5 = a0, b5 = a0, a6 = a0, b6 = a0, a7 = a0, b7 = a0;
        for (int c = 0; c < dim; c++) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, c * width + h);
            FloatVector b = FloatVector.fromArray(FLOATS, x, c * width + h + LANES);
            a0 = a.fma(FloatVector.broadcast(FLOATS, k0[o0 + c]), a0);
            b0 = b.fma(FloatVector.broadcast(FLOATS, k0[o0 + c]), b0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, k1[o1 + c]), a1);
            b1 = b.fma(FloatVector.broadcast(FLOATS, k1[o1 + c]), b1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, k2[o2 + c]), a2);
            b2 = b.fma(FloatVector.broadcast(FLOATS, k2[o2 + c]), b2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, k3[o3 + c]), a3);
            b3 = b.fma(FloatVector.broadcast(FLOATS, k3[o3 + c]), b3);
            a4 = a.fma(FloatVector.broadcast(FLOATS, k4[o4 + c]), a4);
            b4 = b.fma(FloatVector.broadcast(FLOATS, k4[o4 + c]), b4);
            a5 = a.fma(FloatVector.broadcast(FLOATS, k5[o5 + c]), a5);
            b5 = b.fma(FloatVector.broadcast(FLOATS, k5[o5 + c]), b5);
            a6 = a.fma(FloatVector.broadcast(FLOATS, k6[o6 + c]), a6);
            b6 = b.fma(FloatVector.broadcast(FLOATS, k6[o6 + c]), b6);
            a7 = a.fma(FloatVector.broadcast(FLOATS, k7[o7 + c]), a7);
            b7 = b.fma(FloatVector.broadcast(FLOATS, k7[o7 + c]), b7);
        }
        store(a0, a1, a2, a3, to);
        store(a4, a5, a6, a7, to + 4 * width);
        store(b0, b1, b2, b3, to + LANES);
        store(b4, b5, b6, b7, to + 4 * width + LANES);
    }

    private void tile(int dim, int to) {
        float[] x = queries;
        float[] k0 = pages[0], k1 = pages[1], k2 = pages[2], k3 = pages[3];
        float[] k4 = pages[4], k5 = pages[5], k6 = pages[6], k7 = pages[7];
        int o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3];
        int o4 = offsets[4], o5 = offsets[5], o6 = offsets[6], o7 = offsets[7];
        FloatVector a0 = FloatVector.zero(FLOATS), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
        for (int c = 0; c < dim; c++) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, c * LANES);
            a0 = a.fma(FloatVector.broadcast(FLOATS, k0[o0 + c]), a0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, k1[o1 + c]), a1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, k2[o2 + c]), a2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, k3[o3 + c]), a3);
            a4 = a.fma(FloatVector.broadcast(FLOATS, k4[o4 + c]), a4);
            a5 = a.fma(FloatVector.broadcast(FLOATS, k5[o5 + c]), a5);
            a6 = a.fma(FloatVector.broadcast(FLOATS, k6[o6 + c]), a6);
            a7 = a.fma(FloatVector.broadcast(FLOATS, k7[o7 + c]), a7);
        }
        store(a0, a1, a2, a3, to);
        store(a4, a5, a6, a7, to + 4 * LANES);
    }

    private void store(FloatVector a, FloatVector b, FloatVector c, FloatVector d, int to) {
        a.intoArray(scores, to);
        b.intoArray(scores, to + width);
        c.intoArray(scores, to + 2 * width);
        d.intoArray(scores, to + 3 * width);
    }
}
