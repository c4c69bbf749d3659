package io.millrace.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.MicroVectors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MatrixRowsTest {
    private static final RandomGenerator RANDOM =
            RandomGeneratorFactory.of("L64X128MixRandom").create(7);

    @Test
    void decode_fp4GoldenRow() {
        JsonNode golden = MicroVectors.at("fp4_weight_row_64");
        Matrix matrix = matrix(
                DType.FP4_E2M1,
                1,
                64,
                bytes(golden.get("packed_safetensors_bytes")),
                new Matrix.Scales(DType.F8_E8M0, 1, 32, unaligned(bytes(golden.get("scale_bytes")))));
        float[] expected = MicroVectors.floats(golden.get("values"));
        float[] out = new float[64];
        MatrixRows.decode(matrix, 0, out, 0);
        for (int col = 0; col < 64; col++) {
            // the golden values are without the sign of zero
            assertThat(out[col] + 0f).as("column " + col).isEqualTo(expected[col]);
        }
    }

    @Test
    void decode_fp4OfOddWidthStartsEachRowOnAByte() {
        Matrix matrix = matrix(
                DType.FP4_E2M1,
                2,
                3,
                new byte[] {0x21, 0x03, 0x54, (byte) 0xFE},
                new Matrix.Scales(DType.F8_E8M0, 1, 32, unaligned(new byte[] {127, (byte) 128})));
        checkRow(matrix, 0, new float[] {0.5f, 1, 1.5f});
        checkRow(matrix, 1, new float[] {4, 6, -8});
    }

    @Test
    void decode_plainFormats() {
        float[] values = {1.5f, -2, 0.25f, 3, 65504, -0f};
        ByteBuffer f32 = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer bf16 = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer f16 = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            f32.putFloat(value);
            bf16.putShort(Bf16.encode(value));
            f16.putShort(Float.floatToFloat16(value));
        }
        checkRow(matrix(DType.F32, 2, 3, f32.array(), null), 1, new float[] {3, 65504, -0f});
        checkRow(matrix(DType.BF16, 2, 3, bf16.array(), null), 1, new float[] {3, 65536, -0f});
        checkRow(matrix(DType.F16, 2, 3, f16.array(), null), 1, new float[] {3, 65504, -0f});
    }

    /// Blocks that do not divide the matrix, with both kinds of scales.
    @Test
    void decode_fp8BlocksOfAnyShape() {
        int rows = 5;
        int cols = 7;
        byte[] codes = randomCodes(rows * cols);
        byte[] exponents = {120, 121, 122, 123, 124, 125};
        float[] factors = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
        ByteBuffer floats = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (float factor : factors) {
            floats.putFloat(factor);
        }
        Matrix powers =
                matrix(DType.F8_E4M3, rows, cols, codes, new Matrix.Scales(DType.F8_E8M0, 3, 3, unaligned(exponents)));
        Matrix any =
                matrix(DType.F8_E4M3, rows, cols, codes, new Matrix.Scales(DType.F32, 3, 3, unaligned(floats.array())));
        for (int row = 0; row < rows; row++) {
            float[] expectedPowers = new float[cols];
            float[] expectedAny = new float[cols];
            for (int col = 0; col < cols; col++) {
                int block = row / 3 * 3 + col / 3;
                float code = Fp8.decode(codes[row * cols + col]);
                expectedPowers[col] = code * E8m0.decode(exponents[block]);
                expectedAny[col] = code * factors[block];
            }
            checkRow(powers, row, expectedPowers);
            checkRow(any, row, expectedAny);
        }
    }

    @Test
    void decode_faultsAreTold() {
        Matrix ints = matrix(DType.I8, 1, 4, new byte[4], null);
        assertThatThrownBy(() -> MatrixRows.decode(ints, 0, new float[4], 0)).hasMessageContaining("test: I8");
        assertThatThrownBy(() -> MatrixRows.decode(ints, 1, new float[4], 0)).hasMessageContaining("row 1 of 1");
    }

    private static void checkRow(Matrix matrix, int row, float[] expected) {
        float[] out = new float[expected.length + 3];
        MatrixRows.decode(matrix, row, out, 2);
        for (int col = 0; col < expected.length; col++) {
            CodecsTest.assertBits(out[2 + col], expected[col], "column " + col);
            CodecsTest.assertBits(MatrixRows.value(matrix, row, col), expected[col], "column " + col);
        }
        assertThat(out[1]).isZero();
        assertThat(out[2 + expected.length]).isZero();
    }

    private static Matrix matrix(DType dtype, int rows, int cols, byte[] data, Matrix.@Nullable Scales scales) {
        return new Matrix("test", dtype, rows, cols, unaligned(data), scales);
    }

    /// A copy that starts on an odd address, as tensors in files may.
    private static MemorySegment unaligned(byte[] bytes) {
        MemorySegment segment = Arena.ofAuto().allocate(bytes.length + 1L, 8);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, segment, 1, bytes.length);
        return segment.asSlice(1).asReadOnly();
    }

    private static byte[] bytes(JsonNode list) {
        byte[] bytes = new byte[list.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) list.get(i).intValue();
        }
        return bytes;
    }

    private static byte[] randomCodes(int count) {
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++) {
            codes[i] = (byte) RANDOM.nextInt(0x7F);
        }
        return codes;
    }
}
