package io.millrace.engine.tensor;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A stored weight matrix [rows, cols], row-major, read-only, as it lies in the checkpoint: codes and, for
/// block formats, their scales. `w[r][c] = code * scale[r / scaleBlockRows][c / scaleBlockCols]`. Its
/// identity is what a device keys its own copy by.
///
/// @param name tensor name, for messages
/// @param dtype of the codes: F32, BF16, F16, F8_E4M3, FP4_E2M1, or a format that holds its scales itself
/// @param rows output features
/// @param cols input features
/// @param data the codes, `dtype.bytes(cols)` bytes a row
/// @param scales block scales, or null if the codes are the values or hold their scales themselves
public record Matrix(
        String name,
        DType dtype,
        int rows,
        int cols,
        MemorySegment data,
        @Nullable Scales scales) {

    /// Block scales [ceil(rows / blockRows), ceil(cols / blockCols)], row-major.
    ///
    /// @param dtype F8_E8M0 or F32
    public record Scales(DType dtype, int blockRows, int blockCols, MemorySegment data) {
        /// Blocks in a row of `cols` columns.
        public int perRow(int cols) {
            return Math.ceilDiv(cols, blockCols);
        }
    }

    public Matrix {
        if (dtype.holdsScales() && (scales != null || cols % dtype.blockElements() != 0)) {
            throw new IllegalArgumentException(name + ": expected a multiple of " + dtype.blockElements()
                    + " columns and no scales beside " + dtype + ", got " + cols + " columns, scales " + scales);
        }
        long expected = (long) rows * dtype.bytes(cols);
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException(name + ": expected " + expected + " bytes for [" + rows + ", " + cols
                    + "] " + dtype + ", got " + data.byteSize());
        }
        if (scales != null) {
            long blocks = (long) Math.ceilDiv(rows, scales.blockRows()) * scales.perRow(cols);
            if (scales.data().byteSize() != scales.dtype().bytes(blocks)) {
                throw new IllegalArgumentException(name + ": expected " + blocks + " scales " + scales.dtype()
                        + ", got " + scales.data().byteSize() + " bytes");
            }
        }
    }

    /// Bytes of codes and scales together.
    public long byteSize() {
        return data.byteSize() + (scales == null ? 0 : scales.data().byteSize());
    }

    /// Rows `from` (inclusive) to `to` (exclusive) as a matrix of their own, without copying. With block
    /// scales `from` must lie on a block's edge.
    public Matrix slice(String sliceName, int from, int to) {
        long rowBytes = dtype.bytes(cols);
        MemorySegment part = data.asSlice(from * rowBytes, (to - from) * rowBytes);
        if (scales == null) {
            return new Matrix(sliceName, dtype, to - from, cols, part, null);
        }
        if (from % scales.blockRows() != 0) {
            throw new IllegalArgumentException(
                    name + ": row " + from + " is not on the edge of a scale block of " + scales.blockRows());
        }
        long scaleRowBytes = scales.dtype().bytes(scales.perRow(cols));
        int firstBlock = from / scales.blockRows();
        int blocks = Math.ceilDiv(to - from, scales.blockRows());
        MemorySegment partScales = scales.data().asSlice(firstBlock * scaleRowBytes, blocks * scaleRowBytes);
        return new Matrix(
                sliceName,
                dtype,
                to - from,
                cols,
                part,
                new Scales(scales.dtype(), scales.blockRows(), scales.blockCols(), partScales));
    }
}
