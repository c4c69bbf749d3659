package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Matrices;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Panels of GGUF's block formats against the slow decoder, to the bit, over every tail of a panel; and
/// products with them against products with their values.
class BlockDecoderTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final int PANEL = VectorConstants.PANEL;

    private final Random random = new Random(SEED);

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"Q8_0", "Q4_0", "Q4_K", "Q6_K", "MXFP4"})
    void decode_everyTail(DType dtype) {
        PanelDecoder decoder = new PanelDecoder();
        for (int blocks = 1; blocks <= 3; blocks++) {
            int cols = blocks * dtype.blockElements();
            for (int rows = 1; rows <= 2 * PANEL + 1; rows++) {
                Matrix matrix = Matrices.blocks(random, dtype, rows, cols);
                for (int first = 0; first < rows; first += PANEL) {
                    assertPanel(matrix, first, decoder.decode(matrix, first));
                }
            }
        }
    }

    private static void assertPanel(Matrix matrix, int first, float[] panel) {
        float[] row = new float[matrix.cols()];
        for (int lane = 0; lane < PANEL; lane++) {
            boolean exists = first + lane < matrix.rows();
            if (exists) {
                MatrixRows.decode(matrix, first + lane, row, 0);
            }
            for (int col = 0; col < row.length; col++) {
                int got = Float.floatToRawIntBits(panel[col * PANEL + lane]);
                assertThat(got)
                        .as("row %d, column %d, seed %d", first + lane, col, SEED)
                        .isEqualTo(exists ? Float.floatToRawIntBits(row[col]) : 0);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"Q8_0", "Q4_0", "Q4_K", "Q6_K", "MXFP4"})
    void matmul_isThatOfTheValues(DType dtype) {
        int cols = 2 * dtype.blockElements();
        int outputs = 35;
        Matrix stored = Matrices.blocks(random, dtype, outputs, cols);
        float[] values = new float[outputs * cols];
        for (int row = 0; row < outputs; row++) {
            MatrixRows.decode(stored, row, values, row * cols);
        }
        Matrix plain = Matrices.f32(outputs, cols, values);
        try (Kernels reference = new ReferenceKernels();
                Kernels vector = new VectorKernels(2, "test")) {
            for (int rows : new int[] {1, 7, 8, 9}) {
                float[] x = Matrices.floats(random, rows * cols);
                for (Kernels ring : new Kernels[] {reference, vector}) {
                    assertThat(product(ring, x, rows, stored)).containsExactly(product(ring, x, rows, plain));
                }
            }
        }
    }

    private static float[] product(Kernels ring, float[] x, int rows, Matrix w) {
        var y = ring.allocate(rows * w.rows());
        ring.matmul(new HostFloats(x), rows, w, y);
        float[] out = new float[rows * w.rows()];
        ring.read(y, 0, out, 0, out.length);
        return out;
    }
}
