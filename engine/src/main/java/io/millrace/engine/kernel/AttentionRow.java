package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;
import static io.millrace.engine.kernel.VectorConstants.PANEL;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import jdk.incubator.vector.FloatVector;

/// Attention of one row and its scores for the indexer. Softmax has a head in each lane, the weighted sum of
/// the values a dimension; both run along the row's own list of keys in its order, so what other rows see
/// makes no difference. Confined to one worker.
final class AttentionRow {
    /// Heads of a tile: with two vectors of dimensions each, sixteen accumulators.
    private static final int TILE = 8;

    private final KeyScores products = new KeyScores();
    private final float[] tile = new float[TILE * PANEL];
    private float[] sums = new float[0];
    private float[] folded = new float[0];

    /// Row r of {@link Kernels#attend}.
    void attend(float[] q, int r, int heads, int dim, KeyList keys, float[] sink, float scale, float[] out) {
        int count = keys.size();
        int at = r * heads * dim;
        products.compute(q, at, heads, dim, keys);
        int width = products.width();
        sums = FloatArrays.grown(sums, width);
        for (int h = 0; h < width; h += LANES) {
            softmax(products.scores(), h, width, count, sinks(sink, h, heads), scale);
        }
        for (int h = 0; h < heads; h += TILE) {
            values(h, Math.min(TILE, heads - h), at + h * dim, dim, keys, out);
        }
    }

    private static FloatVector sinks(float[] sink, int h, int heads) {
        return FloatVector.fromArray(FLOATS, sink, h, FLOATS.indexInRange(h, heads));
    }

    /// `e^(scale score - max)` in place for the heads of one vector, and their sums, the sink's share
    /// included.
    private void softmax(float[] scores, int h, int width, int count, FloatVector sink, float scale) {
        FloatVector max = sink;
        int end = h + count * width;
        for (int i = h; i < end; i += width) {
            FloatVector score = FloatVector.fromArray(FLOATS, scores, i).mul(scale);
            score.intoArray(scores, i);
            max = max.max(score);
        }
        FloatVector sum = VectorMath.exp(sink.sub(max));
        for (int i = h; i < end; i += width) {
            FloatVector weight =
                    VectorMath.exp(FloatVector.fromArray(FLOATS, scores, i).sub(max));
            weight.intoArray(scores, i);
            sum = sum.add(weight);
        }
        sum.intoArray(sums, h);
    }

    /// The outputs of heads `h` to `h + height`.
    private void values(int h, int height, int at, int dim, KeyList keys, float[] out) {
        int bound = dim / PANEL * PANEL;
        for (int c = 0; c < bound; c += PANEL) {
            if (height > TILE / 2) {
                tile(h, c, keys);
            } else {
                halfTile(h, c, keys);
            }
            for (int i = 0; i < height; i++) {
                divide(i * PANEL, sums[h + i], out, at + i * dim + c);
            }
        }
        for (int c = bound; c < dim; c++) {
            for (int i = 0; i < height; i++) {
                out[at + i * dim + c] = value(h + i, c, keys) / sums[h + i];
            }
        }
    }

    private void divide(int from, float sum, float[] out, int to) {
        FloatVector.fromArray(FLOATS, tile, from).div(sum).intoArray(out, to);
        FloatVector.fromArray(FLOATS, tile, from + LANES).div(sum).intoArray(out, to + LANES);
    }

    private static float[] array(Floats page) {
        return ((HostFloats) page).array();
    }

    // eight heads by two vectors of dimensions
    private void tile(int h, int c, KeyList keys) {
        float[] w = products.scores();
        int width = products.width();
        FloatVector a0 = FloatVector.zero(FLOATS), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
        FloatVector a4 = a0, b4 = a0, a5 = a0, b5 = a0, a6 = a0, b6 = a0, a7 = a0, b7 = a0;
        for (int j = 0; j < keys.size(); j++) {
            float[] page = array(keys.page(j));
            int from = keys.offset(j) + c;
            FloatVector a = FloatVector.fromArray(FLOATS, page, from);
            FloatVector b = FloatVector.fromArray(FLOATS, page, from + LANES);
            int p = j * width + h;
            a0 = a.fma(FloatVector.broadcast(FLOATS, w[p]), a0);
            b0 = b.fma(FloatVector.broadcast(FLOATS, w[p]), b0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, w[p + 1]), a1);
            b1 = b.fma(FloatVector.broadcast(FLOATS, w[p + 1]), b1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, w[p + 2]), a2);
            b2 = b.fma(FloatVector.broadcast(FLOATS, w[p + 2]), b2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, w[p + 3]), a3);
            b3 = b.fma(FloatVector.broadcast(FLOATS, w[p + 3]), b3);
            a4 = a.fma(FloatVector.broadcast(FLOATS, w[p + 4]), a4);
            b4 = b.fma(FloatVector.broadcast(FLOATS, w[p + 4]), b4);
            a5 = a.fma(FloatVector.broadcast(FLOATS, w[p + 5]), a5);
            b5 = b.fma(FloatVector.broadcast(FLOATS, w[p + 5]), b5);
            a6 = a.fma(FloatVector.broadcast(FLOATS, w[p + 6]), a6);
            b6 = b.fma(FloatVector.broadcast(FLOATS, w[p + 6]), b6);
            a7 = a.fma(FloatVector.broadcast(FLOATS, w[p + 7]), a7);
            b7 = b.fma(FloatVector.broadcast(FLOATS, w[p + 7]), b7);
        }
        store(a0, b0, 0);
        store(a1, b1, 1);
        store(a2, b2, 2);
        store(a3, b3, 3);
        store(a4, b4, 4);
        store(a5, b5, 5);
        store(a6, b6, 6);
        store(a7, b7, 7);
    }

    private void halfTile(int h, int c, KeyList keys) {
        float[] w = products.scores();
        int width = products.width();
        FloatVector a0 = FloatVector.zero(FLOATS), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
        for (int j = 0; j < keys.size(); j++) {
            float[] page = array(keys.page(j));
            int from = keys.offset(j) + c;
            FloatVector a = FloatVector.fromArray(FLOATS, page, from);
            FloatVector b = FloatVector.fromArray(FLOATS, page, from + LANES);
            int p = j * width + h;
            a0 = a.fma(FloatVector.broadcast(FLOATS, w[p]), a0);
            b0 = b.fma(FloatVector.broadcast(FLOATS, w[p]), b0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, w[p + 1]), a1);
            b1 = b.fma(FloatVector.broadcast(FLOATS, w[p + 1]), b1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, w[p + 2]), a2);
            b2 = b.fma(FloatVector.broadcast(FLOATS, w[p + 2]), b2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, w[p + 3]), a3);
            b3 = b.fma(FloatVector.broadcast(FLOATS, w[p + 3]), b3);
        }
        store(a0, b0, 0);
        store(a1, b1, 1);
        store(a2, b2, 2);
        store(a3, b3, 3);
    }

    private void store(FloatVector a, FloatVector b, int row) {
        a.intoArray(tile, row * PANEL);
        b.intoArray(tile, row * PANEL + LANES);
    }

    private float value(int h, int c, KeyList keys) {
        float sum = 0;
        for (int j = 0; j < keys.size(); j++) {
            float x = array(keys.page(j))[keys.offset(j) + c];
            sum = Math.fma(x, products.scores()[j * products.width() + h], sum);
        }
        return sum;
    }

    /// Row r's indexer scores, one per key: `Σ_h w_h max(0, q_h · k)`, the heads added up by halves. Good
    /// until the next call.
    float[] indexScores(float[] q, float[] headWeights, int r, int heads, int dim, KeyList keys) {
        int count = keys.size();
        products.compute(q, r * heads * dim, heads, dim, keys);
        int width = products.width();
        float[] scores = products.scores();
        folded = FloatArrays.grown(folded, count);
        sums = FloatArrays.grown(sums, width);
        for (int h = 0; h < width; h++) {
            sums[h] = h < heads ? headWeights[r * heads + h] : 0;
        }
        for (int j = 0; j < count; j++) {
            weigh(scores, j * width, heads, width);
            for (int half = width / 2; half >= LANES; half /= 2) {
                addHalves(scores, j * width, half);
            }
            folded[j] = LaneSums.fold(FloatVector.fromArray(FLOATS, scores, j * width));
        }
        return folded;
    }

    /// Lanes beyond the heads are left out: of a key that is not finite they hold no zero.
    private void weigh(float[] scores, int at, int heads, int width) {
        for (int h = 0; h < width; h += LANES) {
            FloatVector weight = FloatVector.fromArray(FLOATS, sums, h);
            FloatVector.fromArray(FLOATS, scores, at + h, FLOATS.indexInRange(h, heads))
                    .max(0f)
                    .mul(weight)
                    .intoArray(scores, at + h);
        }
    }

    private static void addHalves(float[] scores, int at, int half) {
        for (int h = at; h < at + half; h += LANES) {
            FloatVector upper = FloatVector.fromArray(FLOATS, scores, h + half);
            FloatVector.fromArray(FLOATS, scores, h).add(upper).intoArray(scores, h);
        }
    }
}
