package io.millrace.engine.kernel;

/// Functions of a single number, in double precision.
final class Scalar {
    private Scalar() {}

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
