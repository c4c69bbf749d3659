package io.millrace.engine.tensor;

/// E2M1: 1 sign, 2 exponent bits with bias 1, 1 mantissa bit; 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.
public final class Fp4 {
    /// Largest value.
    public static final float MAX = 6;

    private static final float[] VALUES = {
        0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f
    };

    private Fp4() {}

    /// The value of a code, of which only the low 4 bits count.
    public static float decode(int code) {
        return VALUES[code & 0xF];
    }

    /// The code of the nearest value, ties to the even code. Magnitudes above {@link #MAX} become the
    /// largest code.
    ///
    /// @throws IllegalArgumentException for NaN, which the format does not have
    public static int encode(float value) {
        if (Float.isNaN(value)) {
            throw new IllegalArgumentException("E2M1 has no code for NaN");
        }
        int sign = Float.floatToRawIntBits(value) >>> 28 & 0x8;
        return sign | magnitudeCode(Math.abs(value));
    }

    /// Compares with the midpoints; a midpoint itself goes to the even code of its two neighbours.
    private static int magnitudeCode(float magnitude) {
        if (magnitude <= 0.25f) {
            return 0;
        } else if (magnitude < 0.75f) {
            return 1;
        } else if (magnitude <= 1.25f) {
            return 2;
        } else if (magnitude < 1.75f) {
            return 3;
        } else if (magnitude <= 2.5f) {
            return 4;
        } else if (magnitude < 3.5f) {
            return 5;
        } else if (magnitude <= 5f) {
            return 6;
        }
        return 7;
    }
}
