package io.millrace.engine.checkpoint;

import io.millrace.engine.tensor.DType;
import org.jspecify.annotations.Nullable;

/// The element types of the safetensors format, by the names its headers use. Only some of them can be
/// weights here; the others may occur in tensors that nothing asks for.
enum SafetensorsType implements StoredType {
    BOOL(8, null),
    U8(8, null),
    I8(8, DType.I8),
    F8_E5M2(8, null),
    F8_E4M3(8, DType.F8_E4M3),
    F8_E8M0(8, DType.F8_E8M0),
    F4(4, DType.FP4_E2M1),
    F6_E2M3(6, null),
    F6_E3M2(6, null),
    I16(16, null),
    U16(16, null),
    F16(16, DType.F16),
    BF16(16, DType.BF16),
    I32(32, DType.I32),
    U32(32, null),
    F32(32, DType.F32),
    F64(64, null),
    I64(64, DType.I64),
    U64(64, null),
    C64(64, null);

    private final int bits;
    private final @Nullable DType dtype;

    SafetensorsType(int bits, @Nullable DType dtype) {
        this.bits = bits;
        this.dtype = dtype;
    }

    /// Bits of one element.
    int bits() {
        return bits;
    }

    @Override
    public @Nullable DType dtype() {
        return dtype;
    }

    /// The type of that name, or null.
    static @Nullable SafetensorsType of(String name) {
        for (SafetensorsType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }
}
