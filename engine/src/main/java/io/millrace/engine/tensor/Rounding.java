package io.millrace.engine.tensor;

/// The roundings a model was trained with, applied to floats in place. Source: section 2.9 of the V4
/// reference notes, after DeepSeek's inference kernels.
///
/// A value that is not finite makes its whole block NaN, as it would in the block scale; nothing is thrown
/// on the way of a forward pass.
public final class Rounding {
    // the smallest amplitudes the reference kernels scale by
    private static final float FP8_MIN_AMPLITUDE = 1e-4f;
    private static final float FP4_MIN_AMPLITUDE = 6 * 0x1p-126f;
    private static final float FP8_MAX_RECIPROCAL = 1 / Fp8.MAX;
    private static final float FP4_MAX_RECIPROCAL = 1 / Fp4.MAX;

    private Rounding() {}

    /// Rounds to bfloat16, ties to even.
    public static float bf16Round(float value) {
        return Bf16.round(value);
    }

    /// Replaces each value by code * scale, code in E4M3 and scale the least power of two that brings the
    /// block's largest magnitude to 448 or less. The products are exact in bfloat16.
    ///
    /// @param block values that share a scale, 64 for cached rows, 128 for activations; the last block may
    ///     be shorter
    public static void fp8RoundTrip(float[] x, int offset, int length, int block) {
        checkBlock(block);
        for (int from = offset; from < offset + length; from += block) {
            fp8Block(x, from, Math.min(from + block, offset + length));
        }
    }

    /// Replaces each value by code * scale, code in E2M1 and scale the least power of two that brings the
    /// block's largest magnitude to 6 or less. The products are exact in bfloat16.
    ///
    /// @param block values that share a scale, 32 for the indexer; the last block may be shorter
    public static void fp4RoundTrip(float[] x, int offset, int length, int block) {
        checkBlock(block);
        for (int from = offset; from < offset + length; from += block) {
            fp4Block(x, from, Math.min(from + block, offset + length));
        }
    }

    /// The power of two by which an FP8 block of that largest magnitude is scaled.
    public static float fp8Scale(float amplitude) {
        return scale(Math.max(amplitude, FP8_MIN_AMPLITUDE) * FP8_MAX_RECIPROCAL);
    }

    /// The power of two by which an FP4 block of that largest magnitude is scaled.
    public static float fp4Scale(float amplitude) {
        return scale(Math.max(amplitude, FP4_MIN_AMPLITUDE) * FP4_MAX_RECIPROCAL);
    }

    /// Multiplies by the natural-order (Sylvester) matrix of ones and minus ones, times length^-1/2, which
    /// makes it orthogonal and its own inverse.
    ///
    /// @param length a power of two
    public static void hadamard(float[] x, int offset, int length) {
        if (Integer.bitCount(length) != 1) {
            throw new IllegalArgumentException("length: expected a power of two, got " + length);
        }
        for (int half = 1; half < length; half *= 2) {
            butterflies(x, offset, length, half);
        }
        float scale = (float) (1 / Math.sqrt(length));
        for (int i = offset; i < offset + length; i++) {
            x[i] *= scale;
        }
    }

    private static void butterflies(float[] x, int offset, int length, int half) {
        for (int pair = offset; pair < offset + length; pair += 2 * half) {
            for (int i = pair; i < pair + half; i++) {
                float a = x[i];
                float b = x[i + half];
                x[i] = a + b;
                x[i + half] = a - b;
            }
        }
    }

    private static void fp8Block(float[] x, int from, int to) {
        float scale = fp8Scale(amplitude(x, from, to));
        for (int i = from; i < to; i++) {
            x[i] = Fp8.decode(Fp8.encode(x[i] / scale)) * scale;
        }
    }

    private static void fp4Block(float[] x, int from, int to) {
        float scale = fp4Scale(amplitude(x, from, to));
        for (int i = from; i < to; i++) {
            x[i] = Float.isNaN(scale) ? scale : Fp4.decode(Fp4.encode(x[i] / scale)) * scale;
        }
    }

    private static float amplitude(float[] x, int from, int to) {
        float largest = 0;
        for (int i = from; i < to; i++) {
            // Math.max hands NaN on
            largest = Math.max(largest, Math.abs(x[i]));
        }
        return largest;
    }

    private static float scale(float ratio) {
        return ratio <= 0x1p127f ? E8m0.decode(E8m0.encodeCeiling(ratio)) : Float.NaN;
    }

    private static void checkBlock(int block) {
        if (block < 1) {
            throw new IllegalArgumentException("block: expected >= 1, got " + block);
        }
    }
}
