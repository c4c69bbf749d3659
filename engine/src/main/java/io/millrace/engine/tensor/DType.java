package io.millrace.engine.tensor;

/// How the elements of a tensor are stored: one by one, or in blocks that share scales.
public enum DType {
    F32(1, 4),
    BF16(1, 2),
    F16(1, 2),
    /// 1 sign, 4 exponent (bias 7), 3 mantissa bits; no infinities; 0x7F and 0xFF are NaN.
    F8_E4M3(1, 1),
    /// Eight exponent bits: 2^(b-127); 255 is NaN.
    F8_E8M0(1, 1),
    /// Two codes a byte, the even column in the low nibble; stored in safetensors as I8 with half the
    /// columns.
    FP4_E2M1(2, 1),
    /// GGUF: 32 signed bytes and their scale.
    Q8_0(32, 34),
    /// GGUF: 32 nibbles, 8 standing for zero, and their scale.
    Q4_0(32, 18),
    /// GGUF: 256 nibbles in 8 groups, each with a scale and a minimum of six bits.
    Q4_K(256, 144),
    /// GGUF: 256 codes of six bits in 16 groups, each with a scale of eight bits.
    Q6_K(256, 210),
    /// GGUF: 32 E2M1 codes and an E8M0 scale; unlike {@link #FP4_E2M1}, the first half of the block is in
    /// the low nibbles.
    MXFP4(32, 17),
    I64(1, 8),
    I32(1, 4),
    I8(1, 1);

    private final int blockElements;
    private final int blockBytes;

    DType(int blockElements, int blockBytes) {
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /// Elements that are stored together.
    public int blockElements() {
        return blockElements;
    }

    /// Bytes of a block, its scales included.
    public int blockBytes() {
        return blockBytes;
    }

    /// Whether scales lie between the codes, as in GGUF. Rows of such a matrix are whole blocks.
    public boolean holdsScales() {
        return switch (this) {
            case Q8_0, Q4_0, Q4_K, Q6_K, MXFP4 -> true;
            default -> false;
        };
    }

    /// Bytes of `elements` logical elements, rounded up to a block.
    public long bytes(long elements) {
        return Math.multiplyExact(Math.ceilDiv(elements, blockElements), (long) blockBytes);
    }
}
