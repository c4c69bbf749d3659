package io.millrace.engine.tensor;

/// A power of two in eight exponent bits: code b is 2^(b-127), 255 is NaN. The format of block scales.
public final class E8m0 {
    private E8m0() {}

    /// The value of a code, of which only the low 8 bits count.
    public static float decode(int code) {
        int exponent = code & 0xFF;
        if (exponent == 0xFF) {
            return Float.NaN;
        }
        // 2^-127 is below the normal floats
        return exponent == 0 ? Float.intBitsToFloat(0x00400000) : Float.intBitsToFloat(exponent << 23);
    }

    /// The code of the smallest power of two that is at least `value`.
    ///
    /// @param value positive and normal, at most 2^127
    /// @throws IllegalArgumentException for any other value
    public static byte encodeCeiling(float value) {
        if (!(value >= Float.MIN_NORMAL && value <= 0x1p127f)) {
            throw new IllegalArgumentException("a scale: expected 2^-126 to 2^127, got " + value);
        }
        int bits = Float.floatToRawIntBits(value);
        int exponent = bits >>> 23;
        return (byte) ((bits & 0x7FFFFF) == 0 ? exponent : exponent + 1);
    }
}
