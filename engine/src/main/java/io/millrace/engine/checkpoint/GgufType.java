package io.millrace.engine.checkpoint;

import io.millrace.engine.tensor.DType;
import org.jspecify.annotations.Nullable;

/// The element types of GGUF files by ggml's numbers. Only some of them can be weights here; the others are
/// known so that a file that has them can be opened and the tensor named that cannot be used.
enum GgufType implements StoredType {
    F32(0, 1, 4, DType.F32),
    F16(1, 1, 2, DType.F16),
    Q4_0(2, 32, 18, DType.Q4_0),
    Q4_1(3, 32, 20, null),
    Q5_0(6, 32, 22, null),
    Q5_1(7, 32, 24, null),
    Q8_0(8, 32, 34, DType.Q8_0),
    Q8_1(9, 32, 40, null),
    Q2_K(10, 256, 84, null),
    Q3_K(11, 256, 110, null),
    Q4_K(12, 256, 144, DType.Q4_K),
    Q5_K(13, 256, 176, null),
    Q6_K(14, 256, 210, DType.Q6_K),
    Q8_K(15, 256, 292, null),
    IQ2_XXS(16, 256, 66, null),
    IQ2_XS(17, 256, 74, null),
    IQ3_XXS(18, 256, 98, null),
    IQ1_S(19, 256, 50, null),
    IQ4_NL(20, 32, 18, null),
    IQ3_S(21, 256, 110, null),
    IQ2_S(22, 256, 82, null),
    IQ4_XS(23, 256, 136, null),
    I8(24, 1, 1, DType.I8),
    I16(25, 1, 2, null),
    I32(26, 1, 4, DType.I32),
    I64(27, 1, 8, DType.I64),
    F64(28, 1, 8, null),
    IQ1_M(29, 256, 56, null),
    BF16(30, 1, 2, DType.BF16),
    TQ1_0(34, 256, 54, null),
    TQ2_0(35, 256, 66, null),
    MXFP4(39, 32, 17, DType.MXFP4),
    NVFP4(40, 64, 36, null),
    Q1_0(41, 128, 18, null);

    private final int id;
    private final int blockElements;
    private final int blockBytes;
    private final @Nullable DType dtype;

    GgufType(int id, int blockElements, int blockBytes, @Nullable DType dtype) {
        this.id = id;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
        this.dtype = dtype;
    }

    /// Elements of a row that are stored together.
    int blockElements() {
        return blockElements;
    }

    int blockBytes() {
        return blockBytes;
    }

    @Override
    public @Nullable DType dtype() {
        return dtype;
    }

    /// Whether it is a format of weights here.
    boolean isWeight() {
        return switch (this) {
            case F32, F16, BF16, Q4_0, Q8_0, Q4_K, Q6_K, MXFP4 -> true;
            default -> false;
        };
    }

    /// The type of that number, or null.
    static @Nullable GgufType of(int id) {
        for (GgufType type : values()) {
            if (type.id == id) {
                return type;
            }
        }
        return null;
    }
}
