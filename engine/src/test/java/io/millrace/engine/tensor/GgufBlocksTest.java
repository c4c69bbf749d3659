package io.millrace.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.checkpoint.TestVectors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Blocks decoded by the gguf package are decoded to the same bits here.
class GgufBlocksTest {
    @ParameterizedTest
    @CsvSource({
        "blocks.json, Q8_0",
        "blocks.json, Q4_K",
        "blocks.json, MXFP4",
        "more-blocks.json, Q4_0",
        "more-blocks.json, Q8_0",
        "more-blocks.json, Q4_K",
        "more-blocks.json, Q6_K",
        "more-blocks.json, MXFP4"
    })
    void decode_goldenBlocks(String file, DType dtype) throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(TestVectors.path("gguf/" + file).toFile())
                .get(dtype.name());
        JsonNode values = golden.get("values");
        Matrix matrix = matrix(dtype, 1, values.size(), golden.get("bytes"));
        float[] out = new float[values.size()];
        MatrixRows.decode(matrix, 0, out, 0);
        for (int col = 0; col < out.length; col++) {
            assertThat(out[col]).as("column " + col).isEqualTo((float)
                    values.get(col).asDouble());
        }
    }

    /// A block for each row, and rows of a slice.
    @Test
    void slice_ofBlocks() throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(TestVectors.path("gguf/more-blocks.json").toFile())
                .get("Q6_K");
        Matrix whole = matrix(DType.Q6_K, 3, 256, golden.get("bytes"));
        Matrix slice = whole.slice("slice", 1, 3);
        assertThat(slice.rows()).isEqualTo(2);
        assertThat(slice.byteSize()).isEqualTo(420);
        for (int col = 0; col < 256; col++) {
            float expected = (float) golden.get("values").get(512 + col).asDouble();
            assertThat(MatrixRows.value(slice, 1, col)).isEqualTo(expected);
            assertThat(MatrixRows.value(whole, 2, col)).isEqualTo(expected);
        }
    }

    @Test
    void matrix_ofBlocksHasWholeOnesAndNoOtherScales() {
        MemorySegment two = MemorySegment.ofArray(new byte[68]);
        assertThatThrownBy(() -> new Matrix("w", DType.Q8_0, 1, 40, two, null))
                .hasMessageContaining("w: expected a multiple of 32 columns")
                .hasMessageContaining("got 40 columns");
        Matrix.Scales scales = new Matrix.Scales(DType.F8_E8M0, 1, 32, MemorySegment.ofArray(new byte[2]));
        assertThatThrownBy(() -> new Matrix("w", DType.Q8_0, 1, 64, two, scales))
                .hasMessageContaining("no scales beside Q8_0");
    }

    /// The bytes start on an odd address, as tensors in files may.
    private static Matrix matrix(DType dtype, int rows, int cols, JsonNode bytes) {
        MemorySegment data = Arena.ofAuto().allocate(bytes.size() + 1L, 8).asSlice(1);
        for (int i = 0; i < bytes.size(); i++) {
            data.set(ValueLayout.JAVA_BYTE, i, (byte) bytes.get(i).asInt());
        }
        return new Matrix("test", dtype, rows, cols, data, null);
    }
}
