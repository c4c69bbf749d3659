package io.millrace.npu;

import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import java.util.Locale;

/// In what a card multiplies. Activations between products are FP32 in each. A matrix stored in FP32 stays so
/// in all of them, one stored in BF16 or FP16 stays 16 bits wide in the cheaper two.
enum Arithmetic {
    /// Everything in FP32: the CPU's answers, slowly.
    F32,
    /// Weights and operands in BF16; FP8 and FP4 codes with their scales are exact in it.
    BF16,
    /// Block formats (FP8, FP4, GGUF's) as INT8 with a scale for each output, their operands as INT8 with a
    /// scale for each token; BF16 beyond them.
    INT8;

    /// As settings name it.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// How a matrix lies on the card.
    ///
    /// @param quantizable whether the operator that reads it has an INT8 form
    AclType form(Matrix matrix, boolean quantizable) {
        if (this == F32 || matrix.dtype() == DType.F32) {
            return AclType.FLOAT;
        }
        boolean blocks = matrix.scales() != null || matrix.dtype().holdsScales();
        return this == INT8 && quantizable && blocks ? AclType.INT8 : AclType.BF16;
    }
}
