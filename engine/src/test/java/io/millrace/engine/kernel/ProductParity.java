package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.NativeLibrary.Arithmetic;
import io.millrace.engine.kernel.NativeLibrary.Level;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// What every level of every platform keeps: its products are within rounding of sums in double over {@link
/// MatrixRows},
/// over sizes that hit every tail, and the same bits in any company.
final class ProductParity {
    static final List<DType> FORMATS = List.of(
            DType.F32,
            DType.F16,
            DType.BF16,
            DType.F8_E4M3,
            DType.FP4_E2M1,
            DType.Q8_0,
            DType.Q4_0,
            DType.MXFP4,
            DType.Q4_K,
            DType.Q6_K);
    private static final int[] ROWS = {1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 49, 70};
    private static final int[] COLS = {1, 2, 31, 32, 33, 64, 96, 130, 256, 544};
    private static final int[] OUTPUTS = {1, 3, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 130};
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);

    private final Random random = new Random(SEED);
    private final Multiplier multiplier;

    /// y = x wT on some machine.
    interface Multiplier {
        /// @param parts in how many ranges of w's rows, or a few more
        Product multiply(Level level, float[] x, int rows, Matrix w, int parts);
    }

    /// @param how x was rounded
    /// @param y [rows, w rows]
    record Product(Arithmetic how, float[] y) {}

    ProductParity(Multiplier multiplier) {
        this.multiplier = multiplier;
    }

    /// Against sums in double, of x as the arithmetic rounds it.
    void everyTailIsWithinRounding(Level level, DType dtype) {
        for (int rows : ROWS) {
            check(level, dtype, rows, COLS[random.nextInt(COLS.length)], OUTPUTS[random.nextInt(OUTPUTS.length)]);
        }
        for (int cols : COLS) {
            check(level, dtype, 3, cols, OUTPUTS[random.nextInt(OUTPUTS.length)]);
        }
        for (int outputs : OUTPUTS) {
            check(level, dtype, 18, 64, outputs);
        }
    }

    private void check(Level level, DType dtype, int rows, int wanted, int outputs) {
        int cols = whole(dtype, wanted);
        Matrix w = weights(dtype, outputs, cols);
        float[] x = Matrices.floats(random, rows * cols);
        Product product = multiplier.multiply(level, x, rows, w, 2);
        double[] rounded = rounded(product.how(), x, cols);
        float[] row = new float[cols];
        for (int n = 0; n < outputs; n++) {
            MatrixRows.decode(w, n, row, 0);
            for (int r = 0; r < rows; r++) {
                double sum = 0;
                double magnitudes = 0;
                for (int k = 0; k < cols; k++) {
                    sum += rounded[r * cols + k] * row[k];
                    magnitudes += Math.abs(rounded[r * cols + k] * row[k]);
                }
                double bound = bound(product.how()) * magnitudes + 1e-30;
                float got = product.y()[r * outputs + n];
                // not assertThat, which would take most of the time; the negation catches what is no number
                if (!(Math.abs(got - sum) <= bound)) {
                    fail(
                            "%s %s [%d, %d] row %d of %d, output %d, seed %d: expected %s within %s, got %s",
                            level, dtype, outputs, cols, r, rows, n, SEED, sum, bound, got);
                }
            }
        }
    }

    private static double bound(Arithmetic how) {
        return switch (how) {
            case F32 -> 0x1p-21;
            // half a unit in the last of eight bits, of x and perhaps of w
            case BF16 -> 0x1.1p-8;
            // x is taken as it was rounded, and whole numbers add up exactly
            case INT8 -> 0x1p-19;
        };
    }

    /// x as it is multiplied, where the bound does not allow for its rounding.
    private static double[] rounded(Arithmetic how, float[] x, int cols) {
        double[] values = new double[x.length];
        for (int row = 0; row < x.length; row += cols) {
            for (int k = row; k < row + cols; k++) {
                int block = row + (k - row) / 32 * 32;
                values[k] =
                        how == Arithmetic.INT8 ? int8(x[k], largest(x, block, Math.min(block + 32, row + cols))) : x[k];
            }
        }
        return values;
    }

    private static double int8(float value, float largest) {
        return (double) (largest / 127) * Math.rint(value * (127 / largest));
    }

    private static float largest(float[] x, int from, int to) {
        float largest = 0;
        for (int i = from; i < to; i++) {
            largest = Math.max(largest, Math.abs(x[i]));
        }
        return largest;
    }

    /// A row alone, where few rows may go another way than many, against the same row among others.
    void aRowAloneHasTheSameBitsAsInCompany(Level level, DType dtype) {
        int cols = whole(dtype, 160);
        int outputs = 75;
        int rows = 83;
        Matrix w = weights(dtype, outputs, cols);
        float[] x = Matrices.floats(random, rows * cols);
        float[] together = multiplier.multiply(level, x, rows, w, 3).y();
        for (int r : new int[] {0, 15, 16, 31, 40, 81, 82}) {
            float[] own = Arrays.copyOfRange(x, r * cols, (r + 1) * cols);
            assertThat(multiplier.multiply(level, own, 1, w, 1).y())
                    .as("%s %s row %d, seed %d", level, dtype, r, SEED)
                    .containsExactly(Arrays.copyOfRange(together, r * outputs, (r + 1) * outputs));
        }
    }

    /// What is no number, or infinite, must not be rounded to one that is; and stays in its row.
    void whatIsNotFiniteStaysSo(Level level, DType dtype) {
        int cols = whole(dtype, 96);
        int outputs = 20;
        Matrix w = weights(dtype, outputs, cols);
        float[] x = Matrices.floats(random, 6 * cols);
        float[] sound = multiplier.multiply(level, x, 6, w, 1).y();
        x[cols + 40] = Float.NaN;
        x[2 * cols + 17] = Float.NaN;
        x[4 * cols + 5] = Float.POSITIVE_INFINITY;
        float[] y = multiplier.multiply(level, x, 6, w, 1).y();
        for (int i = 0; i < y.length; i++) {
            int row = i / outputs;
            boolean finite = row != 1 && row != 2 && row != 4;
            assertThat(Float.isFinite(y[i]))
                    .as("%s %s row %d", level, dtype, row)
                    .isEqualTo(finite);
            if (finite) {
                assertThat(y[i]).isEqualTo(sound[i]);
            }
        }
    }

    /// A scale that is no number makes products of its rows none, and of no others.
    void aScaleThatIsNoNumberIsSeen(Level level, DType dtype) {
        Matrix w = weights(dtype, 20, 64);
        MemorySegment scales = w.scales() == null ? w.data() : w.scales().data();
        // of the last row, or of all where they share it; MXFP4's blocks begin with it
        scales.set(ValueLayout.JAVA_BYTE, scales.byteSize() - (dtype == DType.MXFP4 ? 17 : 1), (byte) 255);
        float[] y =
                multiplier.multiply(level, Matrices.floats(random, 64), 1, w, 1).y();
        for (int n = 0; n < 20; n++) {
            assertThat(Float.isNaN(y[n]))
                    .as("%s %s output %d", level, dtype, n)
                    .isEqualTo(n == 19 || dtype == DType.F8_E4M3);
        }
    }

    /// The same bits on each of these levels: a cluster's processors may differ in them.
    void levelsAgree(List<Level> levels, DType dtype) {
        int cols = whole(dtype, 160);
        Matrix w = weights(dtype, 75, cols);
        float[] x = Matrices.floats(random, 9 * cols);
        float[] first = multiplier.multiply(levels.getFirst(), x, 9, w, 1).y();
        for (Level level : levels) {
            assertThat(multiplier.multiply(level, x, 9, w, 1).y())
                    .as("%s against %s, %s", level, levels.getFirst(), dtype)
                    .containsExactly(first);
        }
    }

    /// Columns that are whole blocks.
    static int whole(DType dtype, int cols) {
        return Math.ceilDiv(cols, dtype.blockElements()) * dtype.blockElements();
    }

    /// Random weights of any format.
    Matrix weights(DType dtype, int rows, int cols) {
        return dtype.holdsScales()
                ? Matrices.blocks(random, dtype, rows, cols)
                : Matrices.random(random, dtype, rows, cols, scales(dtype, rows, cols));
    }

    Matrix.@Nullable Scales scales(DType dtype, int rows, int cols) {
        return switch (dtype) {
            case F8_E4M3 -> Matrices.powers(random, rows, cols, 128, 128);
            case FP4_E2M1 -> Matrices.powers(random, rows, cols, 1, 32);
            default -> null;
        };
    }
}
