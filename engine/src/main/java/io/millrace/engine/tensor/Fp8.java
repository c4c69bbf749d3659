package io.millrace.engine.tensor;

/// E4M3 ("fn"): 1 sign, 4 exponent bits with bias 7, 3 mantissa bits; no infinities, 0x7F and 0xFF are NaN,
/// the largest finite value is 448, the smallest positive one 2^-9.
public final class Fp8 {
    /// Largest finite value.
    public static final float MAX = 448;

    private static final int NAN = 0x7F;
    private static final float[] VALUES = values();

    private Fp8() {}

    /// The value of a code, of which only the low 8 bits count.
    public static float decode(int code) {
        return VALUES[code & 0xFF];
    }

    /// The nearest code, ties to even. Magnitudes above {@link #MAX} become the largest finite code; NaN
    /// becomes 0x7F.
    public static byte encode(float value) {
        if (Float.isNaN(value)) {
            return NAN;
        }
        int sign = Float.floatToRawIntBits(value) >>> 24 & 0x80;
        float magnitude = Math.min(Math.abs(value), MAX);
        // the spacing of codes: 2^-9 below the normal range, else 2^(exponent - 3)
        int exponent = Math.max(Math.getExponent(magnitude), -6);
        // scaling by a power of two is exact, so the only rounding is rint's, to even
        int steps = (int) Math.rint(Math.scalb(magnitude, 3 - exponent));
        // steps 8..15 carry the hidden bit; 16 runs over into the next exponent by itself
        int code = ((exponent + 6) << 3) + steps;
        return (byte) (sign | code);
    }

    private static float[] values() {
        float[] values = new float[256];
        for (int code = 0; code < 256; code++) {
            int exponent = code >>> 3 & 0xF;
            int mantissa = code & 7;
            float magnitude =
                    exponent == 0 ? Math.scalb((float) mantissa, -9) : Math.scalb(8f + mantissa, exponent - 10);
            values[code] = (code & NAN) == NAN ? Float.NaN : (code & 0x80) == 0 ? magnitude : -magnitude;
        }
        return values;
    }
}
