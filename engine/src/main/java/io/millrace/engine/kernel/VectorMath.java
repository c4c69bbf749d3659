package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Elementary functions from additions, products and shifts alone. The library's own vector functions are
/// not used: interpreted and compiled code may answer with different bits, and a row's bits must not depend
/// on when the compiler got to it.
final class VectorMath {
    private static final float LOG2_E = 1.44269504f;
    // ln 2 in two parts, the first with trailing zeros so that k times it is exact
    private static final float LN2_HIGH = 0.693145752f;
    private static final float LN2_LOW = 1.42860677e-6f;
    private static final float SMALLEST = -87.3f;

    private VectorMath() {}

    /// `e^x` for x <= 0, relative error below 2^-22; 0 below -87.3, where the result would be denormal.
    static FloatVector exp(FloatVector x) {
        FloatVector k = x.mul(LOG2_E).sub(0.5f);
        IntVector n = (IntVector) k.convert(VectorOperators.F2I, 0);
        FloatVector whole = (FloatVector) n.convert(VectorOperators.I2F, 0);
        FloatVector r = x.sub(whole.mul(LN2_HIGH)).sub(whole.mul(LN2_LOW));
        FloatVector p = FloatVector.broadcast(FLOATS, 1f / 720);
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1f / 120));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1f / 24));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1f / 6));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 0.5f));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1f));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1f));
        FloatVector power = n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(power).blend(0f, x.lt(SMALLEST));
    }

    /// `1 / (1 + e^-x)`.
    static FloatVector sigmoid(FloatVector x) {
        FloatVector power = exp(x.abs().neg());
        FloatVector above = FloatVector.broadcast(FLOATS, 1f).blend(power, x.lt(0f));
        return above.div(power.add(1f));
    }

    /// `sqrt(ln(1 + e^x))`, relative error below 2^-20; 0 below -87.3.
    static FloatVector sqrtSoftplus(FloatVector x) {
        return x.max(0f).add(log1p(exp(x.abs().neg()))).sqrt();
    }

    /// `ln(1 + x)` for x in [0, 1], as `2 artanh(x / (2 + x))`: the argument is at most a third, so the
    /// series ends early.
    private static FloatVector log1p(FloatVector x) {
        FloatVector s = x.div(x.add(2f));
        FloatVector square = s.mul(s);
        FloatVector p = FloatVector.broadcast(FLOATS, 2f / 15);
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f / 13));
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f / 11));
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f / 9));
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f / 7));
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f / 5));
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f / 3));
        p = p.fma(square, FloatVector.broadcast(FLOATS, 2f));
        return p.mul(s);
    }

    /// `x[i] = e^(x[i] - max)` in place over `count` floats; the array must be padded to a multiple of the
    /// vector width.
    static void expShifted(float[] x, int at, int count, float max) {
        for (int i = at; i < at + count; i += LANES) {
            exp(FloatVector.fromArray(FLOATS, x, i).sub(max)).intoArray(x, i);
        }
    }
}
