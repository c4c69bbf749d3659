package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.PANEL;

import io.millrace.engine.tensor.Bf16;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.E8m0;
import io.millrace.engine.tensor.Fp4;
import io.millrace.engine.tensor.Fp8;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Matrix.Scales;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Decodes rows of a stored matrix into a panel [cols, PANEL], one lane per row: the fast twin of
/// {@link io.millrace.engine.tensor.MatrixRows}. Confined to one worker; its scratch grows to the widest
/// matrix seen.
final class PanelDecoder {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final float[] FP8 = new float[256];
    private static final float[] FP4 = new float[16];

    static {
        for (int code = 0; code < FP8.length; code++) {
            FP8[code] = Fp8.decode((byte) code);
        }
        for (int code = 0; code < FP4.length; code++) {
            FP4[code] = Fp4.decode(code);
        }
    }

    private byte[] codes = new byte[0];
    private float[] panel = new float[0];

    /// Rows `first` to `first + PANEL`, those beyond the matrix's end zero. Good until the next call.
    float[] decode(Matrix matrix, int first) {
        int cols = matrix.cols();
        if (panel.length < cols * PANEL) {
            panel = new float[cols * PANEL];
        }
        int lanes = Math.min(PANEL, matrix.rows() - first);
        if (matrix.dtype().holdsScales()) {
            decodeBlocks(matrix, first, lanes);
        } else {
            for (int lane = 0; lane < lanes; lane++) {
                read(matrix, first + lane, 1);
                decodeRow(matrix, first + lane, lane);
            }
        }
        for (int lane = lanes; lane < PANEL; lane++) {
            zero(cols, lane);
        }
        return panel;
    }

    // the same block of all rows, then the next: the part of the panel that they write stays in the nearest cache
    private void decodeBlocks(Matrix matrix, int first, int lanes) {
        DType dtype = matrix.dtype();
        int rowBytes = read(matrix, first, lanes);
        int step = dtype.blockElements() * PANEL;
        for (int block = 0; block * dtype.blockBytes() < rowBytes; block++) {
            int at = block * dtype.blockBytes();
            for (int lane = 0; lane < lanes; lane++) {
                BlockDecoder.decodeBlock(dtype, codes, at + lane * rowBytes, panel, block * step + lane, PANEL);
            }
        }
    }

    /// Copies rows' codes together.
    ///
    /// @return bytes of a row
    private int read(Matrix matrix, int first, int rows) {
        int rowBytes = Math.toIntExact(matrix.dtype().bytes(matrix.cols()));
        if (codes.length < rows * rowBytes) {
            codes = new byte[rows * rowBytes];
        }
        long from = (long) first * rowBytes;
        MemorySegment.copy(matrix.data(), ValueLayout.JAVA_BYTE, from, codes, 0, rows * rowBytes);
        return rowBytes;
    }

    private void zero(int cols, int lane) {
        for (int k = 0; k < cols; k++) {
            panel[k * PANEL + lane] = 0;
        }
    }

    private void decodeRow(Matrix matrix, int row, int lane) {
        Scales scales = matrix.scales();
        int cols = matrix.cols();
        if (scales == null) {
            decodeBlock(matrix, 0, cols, 1f, lane);
            return;
        }
        int perRow = scales.perRow(cols);
        long firstScale = (long) (row / scales.blockRows()) * perRow;
        for (int b = 0; b < perRow; b++) {
            int from = b * scales.blockCols();
            int to = Math.min(cols, from + scales.blockCols());
            decodeBlock(matrix, from, to, scale(scales, firstScale + b), lane);
        }
    }

    private static float scale(Scales scales, long index) {
        return switch (scales.dtype()) {
            case F8_E8M0 -> E8m0.decode(scales.data().get(ValueLayout.JAVA_BYTE, index));
            case F32 -> scales.data().get(FLOAT, index * Float.BYTES);
            default -> throw new IllegalArgumentException(scales.dtype() + " is no format of scales");
        };
    }

    private void decodeBlock(Matrix matrix, int from, int to, float scale, int lane) {
        switch (matrix.dtype()) {
            case F8_E4M3 -> fp8(from, to, scale, lane);
            case FP4_E2M1 -> fp4(from, to, scale, lane);
            case BF16 -> bf16(from, to, scale, lane);
            case F16 -> f16(from, to, scale, lane);
            case F32 -> f32(from, to, scale, lane);
            case Q8_0, Q4_0, Q4_K, Q6_K, MXFP4, F8_E8M0, I64, I32, I8 ->
                throw new IllegalArgumentException(matrix.name() + ": " + matrix.dtype() + " is no format of weights");
        }
    }

    private void fp8(int from, int to, float scale, int lane) {
        for (int k = from; k < to; k++) {
            panel[k * PANEL + lane] = FP8[codes[k] & 0xFF] * scale;
        }
    }

    private void fp4(int from, int to, float scale, int lane) {
        for (int k = from; k < to; k++) {
            int pair = codes[k >> 1];
            panel[k * PANEL + lane] = FP4[((k & 1) == 0 ? pair : pair >> 4) & 15] * scale;
        }
    }

    private void bf16(int from, int to, float scale, int lane) {
        for (int k = from; k < to; k++) {
            panel[k * PANEL + lane] = Bf16.decode(half(k)) * scale;
        }
    }

    private void f16(int from, int to, float scale, int lane) {
        for (int k = from; k < to; k++) {
            panel[k * PANEL + lane] = Float.float16ToFloat(half(k)) * scale;
        }
    }

    private void f32(int from, int to, float scale, int lane) {
        for (int k = from; k < to; k++) {
            int bits = (half(2 * k) & 0xFFFF) | half(2 * k + 1) << 16;
            panel[k * PANEL + lane] = Float.intBitsToFloat(bits) * scale;
        }
    }

    /// The `k`-th little-endian 16-bit word of the row.
    private short half(int k) {
        return (short) ((codes[2 * k] & 0xFF) | codes[2 * k + 1] << 8);
    }
}
