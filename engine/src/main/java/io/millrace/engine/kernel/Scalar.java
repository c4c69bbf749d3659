package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.Rotation;
import io.millrace.engine.kernel.Kernels.SoftmaxOver;
import org.jspecify.annotations.Nullable;

/// One row of the small operations, in scalar code over floats; sums in double precision.
final class Scalar {
    private Scalar() {}

    static void rmsNorm(float[] x, int at, int dim, float @Nullable [] weight, double eps, float[] y, int to) {
        double squares = 0;
        for (int i = 0; i < dim; i++) {
            squares += (double) x[at + i] * x[at + i];
        }
        double factor = 1 / Math.sqrt(squares / dim + eps);
        for (int i = 0; i < dim; i++) {
            y[to + i] = (float) (x[at + i] * factor * (weight == null ? 1 : weight[i]));
        }
    }

    static void rotate(
            float[] x, int at, int heads, int dim, float[] angles, int anglesAt, int pairs, Rotation rotation) {
        float sign = rotation == Rotation.FORWARD ? 1 : -1;
        for (int h = 0; h < heads; h++) {
            int first = at + h * dim + dim - 2 * pairs;
            for (int i = 0; i < pairs; i++) {
                float cos = angles[anglesAt + 2 * i];
                float sin = sign * angles[anglesAt + 2 * i + 1];
                float a = x[first + 2 * i];
                float b = x[first + 2 * i + 1];
                x[first + 2 * i] = a * cos - b * sin;
                x[first + 2 * i + 1] = a * sin + b * cos;
            }
        }
    }

    static void rotateHalves(float[] x, int at, int heads, int dim, float[] angles, int anglesAt) {
        int half = dim / 2;
        for (int first = at; first < at + heads * dim; first += dim) {
            for (int i = 0; i < half; i++) {
                float cos = angles[anglesAt + 2 * i];
                float sin = angles[anglesAt + 2 * i + 1];
                float a = x[first + i];
                float b = x[first + half + i];
                x[first + i] = a * cos - b * sin;
                x[first + half + i] = a * sin + b * cos;
            }
        }
    }

    /// The softmax weights of some places of a row.
    static void softmaxOf(float[] row, int[] places, SoftmaxOver over, float[] weights, int at) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int place : places) {
            largest = Math.max(largest, row[place]);
        }
        double sum = 0;
        for (int place : over == SoftmaxOver.ALL ? TopK.all(row.length) : places) {
            sum += Math.exp(row[place] - largest);
        }
        for (int k = 0; k < places.length; k++) {
            weights[at + k] = (float) (Math.exp(row[places[k]] - largest) / sum);
        }
    }

    static double sigmoid(double z) {
        return 1 / (1 + Math.exp(-z));
    }

    /// `sqrt(ln(1 + e^z))`; softplus is z itself above 20, as in the official code.
    static double sqrtSoftplus(double z) {
        return Math.sqrt(z > 20 ? z : Math.log1p(Math.exp(z)));
    }

    /// `silu(min(gate, limit)) * clamp(up, ±limit)`; limit 0 for no clamp.
    static double swiglu(double gate, double up, double limit) {
        double g = limit > 0 ? Math.min(gate, limit) : gate;
        double u = limit > 0 ? Math.clamp(up, -limit, limit) : up;
        return g * sigmoid(g) * u;
    }

    /// `gate = swiglu(gate, up) * weight`, in place.
    static void swiglu(float[] gate, float[] up, int at, int count, double limit, double weight) {
        for (int i = at; i < at + count; i++) {
            gate[i] = (float) (swiglu(gate[i], up[i], limit) * weight);
        }
    }

    static void add(float[] x, int at, int count, float[] y, int to) {
        for (int i = 0; i < count; i++) {
            y[to + i] += x[at + i];
        }
    }

    static double logSumExp(float[] x, int at, int count) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = at; i < at + count; i++) {
            max = Math.max(max, x[i]);
        }
        double sum = 0;
        for (int i = at; i < at + count; i++) {
            sum += Math.exp(x[i] - max);
        }
        return max + Math.log(sum);
    }
}
