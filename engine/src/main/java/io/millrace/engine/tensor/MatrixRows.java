package io.millrace.engine.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Rows of a stored matrix as floats, one value at a time: the slow, obvious meaning of every format, which
/// kernels are tested against.
public final class MatrixRows {
    // tensors start wherever the file's header ends, so nothing is aligned
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private MatrixRows() {}

    /// Writes row `row` to `out[outOffset .. outOffset + cols)`. Every product code * scale is exact in a
    /// float for the power-of-two scales of the release; with F32 scales it is rounded once.
    public static void decode(Matrix matrix, int row, float[] out, int outOffset) {
        if (row < 0 || row >= matrix.rows()) {
            throw new IndexOutOfBoundsException(matrix.name() + ": row " + row + " of " + matrix.rows());
        }
        for (int col = 0; col < matrix.cols(); col++) {
            out[outOffset + col] = value(matrix, row, col);
        }
    }

    /// The element at `row`, `col`.
    public static float value(Matrix matrix, int row, int col) {
        float code = code(matrix, row, col);
        Matrix.Scales scales = matrix.scales();
        return scales == null ? code : code * scale(scales, matrix.cols(), row, col);
    }

    private static float code(Matrix matrix, int row, int col) {
        MemorySegment data = matrix.data();
        long element = (long) row * matrix.cols() + col;
        return switch (matrix.dtype()) {
            case F32 -> data.get(FLOAT, element * Float.BYTES);
            case BF16 -> Bf16.decode(data.get(SHORT, element * Short.BYTES));
            case F16 -> Float.float16ToFloat(data.get(SHORT, element * Short.BYTES));
            case F8_E4M3 -> Fp8.decode(data.get(ValueLayout.JAVA_BYTE, element));
            case FP4_E2M1 -> {
                // a row starts on a byte of its own
                long rowStart = row * matrix.dtype().bytes(matrix.cols());
                int pair = data.get(ValueLayout.JAVA_BYTE, rowStart + col / 2);
                yield Fp4.decode(col % 2 == 0 ? pair : pair >> 4);
            }
            case Q8_0, Q4_0, Q4_K, Q6_K, MXFP4 -> {
                // rows are whole blocks
                DType dtype = matrix.dtype();
                long block = element / dtype.blockElements();
                yield GgufBlocks.value(dtype, data, block * dtype.blockBytes(), col % dtype.blockElements());
            }
            case F8_E8M0, I64, I32, I8 ->
                throw new IllegalArgumentException(matrix.name() + ": " + matrix.dtype() + " is no format of weights");
        };
    }

    private static float scale(Matrix.Scales scales, int cols, int row, int col) {
        long index = (long) (row / scales.blockRows()) * scales.perRow(cols) + col / scales.blockCols();
        return switch (scales.dtype()) {
            case F8_E8M0 -> E8m0.decode(scales.data().get(ValueLayout.JAVA_BYTE, index));
            case F32 -> scales.data().get(FLOAT, index * Float.BYTES);
            default -> throw new IllegalArgumentException(scales.dtype() + " is no format of scales");
        };
    }
}
