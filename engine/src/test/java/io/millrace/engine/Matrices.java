package io.millrace.engine;

import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Matrices for tests, in heap memory.
public final class Matrices {
    private Matrices() {}

    public static Matrix f32(int rows, int cols, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return new Matrix("test", DType.F32, rows, cols, MemorySegment.ofArray(bytes.array()), null);
    }

    /// Random codes of any weight format, without NaN and infinities.
    public static Matrix random(Random random, DType dtype, int rows, int cols, Matrix.@Nullable Scales scales) {
        byte[] codes = new byte[Math.toIntExact(rows * dtype.bytes(cols))];
        random.nextBytes(codes);
        for (int i = 0; i < codes.length; i++) {
            codes[i] = switch (dtype) {
                case F8_E4M3 -> (codes[i] & 0x7F) == 0x7F ? 0 : codes[i];
                // the exponent's byte: magnitudes around one
                case BF16 -> i % 2 == 1 ? (byte) (0x3E | (codes[i] & 0x81)) : codes[i];
                case F16 -> i % 2 == 1 ? (byte) (codes[i] & 0xBB) : codes[i];
                case F32 -> i % 4 == 3 ? (byte) (0x3E | (codes[i] & 0x81)) : codes[i];
                default -> codes[i];
            };
        }
        return new Matrix("random " + dtype, dtype, rows, cols, MemorySegment.ofArray(codes), scales);
    }

    /// Random blocks of a GGUF format, with scales of magnitude 0.1.
    public static Matrix blocks(Random random, DType dtype, int rows, int cols) {
        byte[] codes = new byte[Math.toIntExact(rows * dtype.bytes(cols))];
        random.nextBytes(codes);
        ByteBuffer bytes = ByteBuffer.wrap(codes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < codes.length; at += dtype.blockBytes()) {
            switch (dtype) {
                case Q8_0, Q4_0 -> bytes.putShort(at, scale(random, 0.01));
                case Q4_K -> bytes.putShort(at, scale(random, 0.001)).putShort(at + 2, scale(random, 0.001));
                case Q6_K -> bytes.putShort(at + 208, scale(random, 1e-4));
                case MXFP4 -> bytes.put(at, (byte) (120 + random.nextInt(4)));
                default -> throw new IllegalArgumentException(dtype + " is no block format");
            }
        }
        return new Matrix("random " + dtype, dtype, rows, cols, MemorySegment.ofArray(codes), null);
    }

    private static short scale(Random random, double size) {
        return Float.floatToFloat16((float) (size * (0.5 + random.nextDouble())));
    }

    /// E8M0 scales between 2^-4 and 2^3.
    public static Matrix.Scales powers(Random random, int rows, int cols, int blockRows, int blockCols) {
        byte[] codes = new byte[Math.ceilDiv(rows, blockRows) * Math.ceilDiv(cols, blockCols)];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (123 + random.nextInt(8));
        }
        return new Matrix.Scales(DType.F8_E8M0, blockRows, blockCols, MemorySegment.ofArray(codes));
    }

    public static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
