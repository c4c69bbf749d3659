package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.SoftmaxOver;

/// Small functions in double precision, and one row of small operations that are not worth vectors.
final class Scalar {
    private Scalar() {}

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
}
