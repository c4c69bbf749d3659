package io.millrace.engine.kernel;

import io.millrace.engine.tensor.Bf16;
import io.millrace.engine.tensor.E8m0;
import io.millrace.engine.tensor.Fp4;
import io.millrace.engine.tensor.Fp8;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Matrix.Scales;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Decodes single rows of a stored matrix: the fast twin of {@link io.millrace.engine.tensor.MatrixRows}.
/// Confined to one worker; its scratch grows to the widest matrix seen.
final class RowDecoder {
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private short[] halves = new short[0];
    private byte[] codes = new byte[0];

    /// Writes row `row` to `out[at .. at + cols)`.
    void decode(Matrix matrix, int row, float[] out, int at) {
        int cols = matrix.cols();
        long from = row * matrix.dtype().bytes(cols);
        switch (matrix.dtype()) {
            case F32 -> MemorySegment.copy(matrix.data(), FLOAT, from, out, at, cols);
            case BF16 -> bf16(matrix, from, out, at);
            case F16 -> f16(matrix, from, out, at);
            case F8_E4M3 -> fp8(matrix, from, out, at);
            case FP4_E2M1 -> fp4(matrix, from, out, at);
            case Q8_0, Q4_0, MXFP4, Q4_K, Q6_K -> {
                readCodes(matrix, from, Math.toIntExact(matrix.dtype().bytes(cols)));
                BlockDecoder.decode(matrix.dtype(), codes, cols, out, at, 1);
            }
            case F8_E8M0, I64, I32, I8 ->
                throw new IllegalArgumentException(matrix.name() + ": " + matrix.dtype() + " is no format of weights");
        }
        scale(matrix, row, out, at);
    }

    private void bf16(Matrix matrix, long from, float[] out, int at) {
        int cols = matrix.cols();
        readHalves(matrix, from);
        for (int c = 0; c < cols; c++) {
            out[at + c] = Bf16.decode(halves[c]);
        }
    }

    private void f16(Matrix matrix, long from, float[] out, int at) {
        int cols = matrix.cols();
        readHalves(matrix, from);
        for (int c = 0; c < cols; c++) {
            out[at + c] = Float.float16ToFloat(halves[c]);
        }
    }

    private void readHalves(Matrix matrix, long from) {
        int cols = matrix.cols();
        if (halves.length < cols) {
            halves = new short[cols];
        }
        MemorySegment.copy(matrix.data(), SHORT, from, halves, 0, cols);
    }

    private void fp8(Matrix matrix, long from, float[] out, int at) {
        int cols = matrix.cols();
        readCodes(matrix, from, cols);
        for (int c = 0; c < cols; c++) {
            out[at + c] = Fp8.decode(codes[c]);
        }
    }

    private void fp4(Matrix matrix, long from, float[] out, int at) {
        int cols = matrix.cols();
        readCodes(matrix, from, Math.ceilDiv(cols, 2));
        for (int c = 0; c < cols; c++) {
            int pair = codes[c >> 1];
            out[at + c] = Fp4.decode((c & 1) == 0 ? pair : pair >> 4);
        }
    }

    private void readCodes(Matrix matrix, long from, int count) {
        if (codes.length < count) {
            codes = new byte[count];
        }
        MemorySegment.copy(matrix.data(), ValueLayout.JAVA_BYTE, from, codes, 0, count);
    }

    private static void scale(Matrix matrix, int row, float[] out, int at) {
        Scales scales = matrix.scales();
        if (scales == null) {
            return;
        }
        int cols = matrix.cols();
        int perRow = scales.perRow(cols);
        long first = (long) (row / scales.blockRows()) * perRow;
        for (int b = 0; b < perRow; b++) {
            float factor = scale(scales, first + b);
            int to = Math.min(cols, (b + 1) * scales.blockCols());
            for (int c = b * scales.blockCols(); c < to; c++) {
                out[at + c] *= factor;
            }
        }
    }

    private static float scale(Scales scales, long index) {
        return switch (scales.dtype()) {
            case F8_E8M0 -> E8m0.decode(scales.data().get(ValueLayout.JAVA_BYTE, index));
            case F32 -> scales.data().get(FLOAT, index * Float.BYTES);
            default -> throw new IllegalArgumentException(scales.dtype() + " is no format of scales");
        };
    }
}
