package io.millrace.engine.tensor;

/// How one element of a tensor is stored.
public enum DType {
    F32(32),
    BF16(16),
    F16(16),
    /// 1 sign, 4 exponent (bias 7), 3 mantissa bits; no infinities; 0x7F and 0xFF are NaN.
    F8_E4M3(8),
    /// Eight exponent bits: 2^(b-127); 255 is NaN.
    F8_E8M0(8),
    /// Two codes a byte, the even column in the low nibble; stored in safetensors as I8 with half the
    /// columns.
    FP4_E2M1(4),
    I64(64),
    I32(32),
    I8(8);

    private final int bits;

    DType(int bits) {
        this.bits = bits;
    }

    /// Bits of one logical element.
    public int bits() {
        return bits;
    }

    /// Bytes of `elements` logical elements, rounded up.
    public long bytes(long elements) {
        return Math.ceilDiv(Math.multiplyExact(elements, bits), 8);
    }
}
