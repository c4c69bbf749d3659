package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import io.millrace.engine.tensor.Fp4;
import io.millrace.engine.tensor.Fp8;
import io.millrace.engine.tensor.Rounding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/// The fast twin of {@link Rounding}, bit for bit: codes are never made, since adding and subtracting a large
/// enough number rounds to a code's spacing, ties to even.
final class VectorRounding {
    private static final int SIGN = Integer.MIN_VALUE;
    private static final int BIAS = 127;
    private static final int MANTISSA_BITS = 23;

    /// What rounding needs to know of a code.
    ///
    /// @param mantissaBits stored ones
    /// @param minExponent of normal codes; below it the spacing stays
    /// @param max largest magnitude
    private record Format(int mantissaBits, int minExponent, float max) {}

    private static final Format FP8 = new Format(3, -6, Fp8.MAX);
    private static final Format FP4 = new Format(1, 0, Fp4.MAX);

    /// By stage of the Hadamard transform: the lane 2^stage away, and whether the own value is subtracted.
    private static final List<VectorShuffle<Float>> PARTNERS = new ArrayList<>();

    private static final float[][] SIGNS = new float[Integer.numberOfTrailingZeros(LANES)][LANES];

    static {
        for (int stage = 0; stage < SIGNS.length; stage++) {
            int half = 1 << stage;
            PARTNERS.add(VectorShuffle.fromOp(FLOATS, i -> i ^ half));
            for (int i = 0; i < LANES; i++) {
                SIGNS[stage][i] = (i & half) == 0 ? 1 : -1;
            }
        }
    }

    private VectorRounding() {}

    /// {@link Rounding#fp8RoundTrip}.
    static void fp8RoundTrip(float[] x, int offset, int length, int block) {
        for (int from = offset; from < offset + length; from += block) {
            int to = Math.min(from + block, offset + length);
            round(x, from, to, Rounding.fp8Scale(amplitude(x, from, to)), FP8);
        }
    }

    /// {@link Rounding#fp4RoundTrip}.
    static void fp4RoundTrip(float[] x, int offset, int length, int block) {
        for (int from = offset; from < offset + length; from += block) {
            int to = Math.min(from + block, offset + length);
            round(x, from, to, Rounding.fp4Scale(amplitude(x, from, to)), FP4);
        }
    }

    private static float amplitude(float[] x, int from, int to) {
        FloatVector largest = FloatVector.zero(FLOATS);
        int bound = from + FLOATS.loopBound(to - from);
        for (int i = from; i < bound; i += LANES) {
            largest = largest.max(FloatVector.fromArray(FLOATS, x, i).abs());
        }
        // the largest is the same in any order
        float amplitude = largest.reduceLanes(VectorOperators.MAX);
        for (int i = bound; i < to; i++) {
            amplitude = Math.max(amplitude, Math.abs(x[i]));
        }
        return amplitude;
    }

    private static void round(float[] x, int from, int to, float scale, Format format) {
        if (Float.isNaN(scale)) {
            Arrays.fill(x, from, to, scale);
            return;
        }
        float inverse = 1 / scale;
        int bound = from + FLOATS.loopBound(to - from);
        for (int i = from; i < bound; i += LANES) {
            round(FloatVector.fromArray(FLOATS, x, i), scale, inverse, format).intoArray(x, i);
        }
        if (bound < to) {
            var rest = FLOATS.indexInRange(bound, to);
            round(FloatVector.fromArray(FLOATS, x, bound, rest), scale, inverse, format)
                    .intoArray(x, bound, rest);
        }
    }

    private static FloatVector round(FloatVector x, float scale, float inverse, Format format) {
        FloatVector scaled = x.abs().mul(inverse).min(format.max());
        IntVector exponent = scaled.reinterpretAsInts().lanewise(VectorOperators.LSHR, MANTISSA_BITS);
        IntVector coarse = exponent.max(format.minExponent() + BIAS).add(MANTISSA_BITS - format.mantissaBits());
        FloatVector large = coarse.lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
        IntVector rounded = scaled.add(large).sub(large).mul(scale).reinterpretAsInts();
        // the sign of zero is kept, as a code would
        IntVector sign = x.reinterpretAsInts().and(SIGN);
        return rounded.or(sign).reinterpretAsFloats();
    }

    /// {@link Rounding#hadamard}.
    static void hadamard(float[] x, int offset, int length) {
        if (Integer.bitCount(length) != 1 || length < 2 * LANES) {
            Rounding.hadamard(x, offset, length);
            return;
        }
        for (int half = 1; half < LANES; half *= 2) {
            withinVectors(x, offset, length, half);
        }
        for (int half = LANES; half < length; half *= 2) {
            betweenVectors(x, offset, length, half);
        }
        float scale = (float) (1 / Math.sqrt(length));
        for (int i = offset; i < offset + length; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i).mul(scale).intoArray(x, i);
        }
    }

    /// A lane meets the one `half` away: the lower keeps the sum, the upper the difference.
    private static void withinVectors(float[] x, int offset, int length, int half) {
        int stage = Integer.numberOfTrailingZeros(half);
        VectorShuffle<Float> partner = PARTNERS.get(stage);
        FloatVector signs = FloatVector.fromArray(FLOATS, SIGNS[stage], 0);
        for (int i = offset; i < offset + length; i += LANES) {
            FloatVector own = FloatVector.fromArray(FLOATS, x, i);
            own.rearrange(partner).add(own.mul(signs)).intoArray(x, i);
        }
    }

    private static void betweenVectors(float[] x, int offset, int length, int half) {
        for (int pair = offset; pair < offset + length; pair += 2 * half) {
            for (int i = pair; i < pair + half; i += LANES) {
                FloatVector a = FloatVector.fromArray(FLOATS, x, i);
                FloatVector b = FloatVector.fromArray(FLOATS, x, i + half);
                a.add(b).intoArray(x, i);
                a.sub(b).intoArray(x, i + half);
            }
        }
    }
}
