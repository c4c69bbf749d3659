package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;
import static jdk.incubator.vector.VectorOperators.NEG;

import io.millrace.engine.kernel.Kernels.Rotation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import org.jspecify.annotations.Nullable;

/// One row of the small operations, in vectors of floats; what the tails compute is what the lanes compute.
final class VectorRows {
    private static final VectorShuffle<Float> SWAPPED = VectorShuffle.fromOp(FLOATS, i -> i ^ 1);
    private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(FLOATS, i -> i & ~1);
    private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(FLOATS, i -> i | 1);
    private static final VectorMask<Float> EVEN_LANES = VectorMask.fromLong(FLOATS, 0x5555_5555_5555_5555L);

    private VectorRows() {}

    static void rmsNorm(
            float[] x, int at, int dim, float @Nullable [] weight, double eps, float[] y, int to, LaneSums sums) {
        float factor = inverseRms(x, at, dim, eps, sums);
        if (weight == null) {
            multiply(x, at, dim, factor, y, to);
        } else {
            multiply(x, at, dim, factor, weight, y, to);
        }
    }

    /// `(mean(x²) + eps)^-½`.
    static float inverseRms(float[] x, int at, int dim, double eps, LaneSums sums) {
        return (float) (1 / Math.sqrt((double) sums.squares(x, at, dim) / dim + eps));
    }

    private static void multiply(float[] x, int at, int dim, float factor, float[] y, int to) {
        int bound = FLOATS.loopBound(dim);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, at + i).mul(factor).intoArray(y, to + i);
        }
        for (int i = bound; i < dim; i++) {
            y[to + i] = x[at + i] * factor;
        }
    }

    private static void multiply(float[] x, int at, int dim, float factor, float[] weight, float[] y, int to) {
        int bound = FLOATS.loopBound(dim);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector w = FloatVector.fromArray(FLOATS, weight, i);
            FloatVector.fromArray(FLOATS, x, at + i).mul(factor).mul(w).intoArray(y, to + i);
        }
        for (int i = bound; i < dim; i++) {
            y[to + i] = x[at + i] * factor * weight[i];
        }
    }

    /// Heads inside, so that a vector of angles is spread once for all of them.
    static void rotate(
            float[] x, int at, int heads, int dim, float[] angles, int anglesAt, int pairs, Rotation rotation) {
        float sign = rotation == Rotation.FORWARD ? 1 : -1;
        int first = at + dim - 2 * pairs;
        int bound = FLOATS.loopBound(2 * pairs);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector turn = FloatVector.fromArray(FLOATS, angles, anglesAt + i);
            FloatVector sin = turn.rearrange(ODD).mul(sign);
            rotateHeads(x, first + i, heads, dim, turn.rearrange(EVEN), sin.lanewise(NEG, EVEN_LANES));
        }
        for (int i = bound; i < 2 * pairs; i += 2) {
            for (int h = 0; h < heads; h++) {
                rotatePair(x, first + h * dim + i, angles[anglesAt + i], sign * angles[anglesAt + i + 1]);
            }
        }
    }

    private static void rotateHeads(float[] x, int at, int heads, int dim, FloatVector cos, FloatVector sin) {
        for (int h = 0; h < heads; h++) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, at + h * dim);
            a.mul(cos).add(a.rearrange(SWAPPED).mul(sin)).intoArray(x, at + h * dim);
        }
    }

    private static void rotatePair(float[] x, int at, float cos, float sin) {
        float a = x[at];
        float b = x[at + 1];
        x[at] = a * cos - b * sin;
        x[at + 1] = a * sin + b * cos;
    }

    /// `gate = silu(min(gate, limit)) * clamp(up, ±limit) * weight`, in place; limit 0 for no clamp.
    static void swiglu(float[] gate, float[] up, int at, int count, double limit, float weight) {
        float most = limit > 0 ? (float) limit : Float.POSITIVE_INFINITY;
        int bound = FLOATS.loopBound(count);
        for (int i = at; i < at + bound; i += LANES) {
            FloatVector g = FloatVector.fromArray(FLOATS, gate, i);
            swiglu(g, FloatVector.fromArray(FLOATS, up, i), most, weight).intoArray(gate, i);
        }
        if (bound < count) {
            VectorMask<Float> rest = FLOATS.indexInRange(bound, count);
            FloatVector g = FloatVector.fromArray(FLOATS, gate, at + bound, rest);
            FloatVector u = FloatVector.fromArray(FLOATS, up, at + bound, rest);
            swiglu(g, u, most, weight).intoArray(gate, at + bound, rest);
        }
    }

    private static FloatVector swiglu(FloatVector gate, FloatVector up, float most, float weight) {
        FloatVector g = gate.min(most);
        FloatVector u = up.min(most).max(-most);
        return g.mul(VectorMath.sigmoid(g)).mul(u).mul(weight);
    }

    static void add(float[] x, int at, int count, float[] y, int to) {
        int bound = FLOATS.loopBound(count);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector sum = FloatVector.fromArray(FLOATS, y, to + i).add(FloatVector.fromArray(FLOATS, x, at + i));
            sum.intoArray(y, to + i);
        }
        for (int i = bound; i < count; i++) {
            y[to + i] += x[at + i];
        }
    }

    static double logSumExp(float[] x, int at, int count, LaneSums sums) {
        float max = sums.max(x, at, count);
        return max + Math.log(sums.exponentials(x, at, count, max));
    }

    /// `out = sqrt(softplus(logit)) + bias`; bias null for none.
    static void scores(float[] logits, int at, int count, float @Nullable [] bias, float[] out) {
        for (int i = 0; i < count; i += LANES) {
            VectorMask<Float> rest = FLOATS.indexInRange(i, count);
            FloatVector score = VectorMath.sqrtSoftplus(FloatVector.fromArray(FLOATS, logits, at + i, rest));
            if (bias != null) {
                score = score.add(FloatVector.fromArray(FLOATS, bias, i, rest));
            }
            score.intoArray(out, i, rest);
        }
    }
}
