package io.millrace.engine.tensor;

/// The 16-bit format with the exponent of a float and 7 mantissa bits.
public final class Bf16 {
    private Bf16() {}

    /// The value of 16 bits; exact.
    public static float decode(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /// The nearest code, ties to even. Values beyond the largest finite one become infinite; NaN stays NaN.
    public static short encode(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        // half of the last kept place, less one when the kept part is even
        int rounded = bits + 0x7FFF + (bits >>> 16 & 1);
        return (short) (rounded >>> 16);
    }

    /// The value rounded to this format.
    public static float round(float value) {
        return decode(encode(value));
    }
}
