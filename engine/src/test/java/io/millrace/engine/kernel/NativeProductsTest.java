package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.NativeLibrary.Arithmetic;
import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.kernel.NativeLibrary.Level;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The compiled products of every level this processor has, against sums in double over {@link MatrixRows}, over sizes
/// that hit every tail; and against themselves in other company, bit for bit.
class NativeProductsTest {
    private static final int[] ROWS = {1, 2, 4, 5, 15, 16, 17, 31, 32, 33, 49, 70};
    private static final int[] COLS = {1, 2, 31, 32, 33, 64, 96, 130, 256, 544};
    private static final int[] OUTPUTS = {1, 3, 16, 17, 31, 32, 33, 64, 65, 130};
    private static final List<DType> FORMATS = List.of(
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
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);

    private final Random random = new Random(SEED);

    private static Functions functions() {
        assumeTrue(NativeLibrary.functions() != null, NativeLibrary::reason);
        return Objects.requireNonNull(NativeLibrary.functions());
    }

    static Stream<Arguments> levelsAndFormats() {
        Functions functions = NativeLibrary.functions();
        if (functions == null) {
            return Stream.of(Arguments.of(Level.AVX2, DType.F32));
        }
        return functions.levels().stream().flatMap(level -> FORMATS.stream().map(dtype -> Arguments.of(level, dtype)));
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void product_everyTail_isWithinTheRoundingOfItsArithmetic(Level level, DType dtype) {
        Functions functions = functions();
        for (int rows : ROWS) {
            int cols = whole(dtype, COLS[random.nextInt(COLS.length)]);
            int outputs = OUTPUTS[random.nextInt(OUTPUTS.length)];
            check(functions, level, dtype, rows, cols, outputs);
        }
        for (int cols : COLS) {
            check(functions, level, dtype, 3, whole(dtype, cols), OUTPUTS[random.nextInt(OUTPUTS.length)]);
        }
        for (int outputs : OUTPUTS) {
            check(functions, level, dtype, 18, whole(dtype, 64), outputs);
        }
    }

    /// Columns that are whole blocks.
    private static int whole(DType dtype, int cols) {
        return Math.ceilDiv(cols, dtype.blockElements()) * dtype.blockElements();
    }

    /// Random weights of any format.
    private Matrix weights(DType dtype, int rows, int cols) {
        return dtype.holdsScales()
                ? Matrices.blocks(random, dtype, rows, cols)
                : Matrices.random(random, dtype, rows, cols, scales(dtype, rows, cols));
    }

    private void check(Functions functions, Level level, DType dtype, int rows, int cols, int outputs) {
        Matrix w = weights(dtype, outputs, cols);
        float[] x = Matrices.floats(random, rows * cols);
        Arithmetic how = Objects.requireNonNull(functions.arithmetic(level, NativeProducts.format(dtype)));
        float[] y = multiply(functions, level, x, rows, w, 2);
        float[] row = new float[cols];
        for (int n = 0; n < outputs; n++) {
            MatrixRows.decode(w, n, row, 0);
            for (int r = 0; r < rows; r++) {
                double sum = 0;
                double magnitudes = 0;
                double blockwise = 0;
                for (int k = 0; k < cols; k++) {
                    sum += (double) x[r * cols + k] * row[k];
                    magnitudes += Math.abs((double) x[r * cols + k] * row[k]);
                    blockwise += largestOfBlock(x, r * cols, cols, k) * Math.abs(row[k]);
                }
                double bound = switch (how) {
                    case F32 -> 0x1p-21 * magnitudes;
                    // half a unit in the last of eight bits, of x and perhaps of w
                    case BF16 -> 0x1.1p-8 * magnitudes;
                    // half a step of 1/127 of the block's largest
                    case INT8 -> blockwise / 250 + 0x1p-19 * magnitudes;
                };
                assertThat((double) y[r * outputs + n])
                        .as(
                                "%s %s [%d, %d] row %d of %d, output %d, seed %d",
                                level, dtype, outputs, cols, r, rows, n, SEED)
                        .isCloseTo(sum, within(bound + 1e-30));
            }
        }
    }

    private static double largestOfBlock(float[] x, int from, int cols, int k) {
        double largest = 0;
        for (int i = k / 32 * 32; i < Math.min(cols, k / 32 * 32 + 32); i++) {
            largest = Math.max(largest, Math.abs(x[from + i]));
        }
        return largest;
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void product_rowAlone_hasTheSameBitsAsInCompany(Level level, DType dtype) {
        Functions functions = functions();
        int cols = whole(dtype, 160);
        int outputs = 75;
        int rows = 83;
        Matrix w = weights(dtype, outputs, cols);
        float[] x = Matrices.floats(random, rows * cols);
        float[] together = multiply(functions, level, x, rows, w, 3);
        for (int r : new int[] {0, 15, 16, 31, 40, 82}) {
            float[] alone = multiply(functions, level, Arrays.copyOfRange(x, r * cols, (r + 1) * cols), 1, w, 1);
            assertThat(alone)
                    .as("%s %s row %d, seed %d", level, dtype, r, SEED)
                    .containsExactly(Arrays.copyOfRange(together, r * outputs, (r + 1) * outputs));
        }
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void onWorker_hasTheSameBitsAsSharedOut(Level level, DType dtype) {
        Functions functions = functions();
        int cols = whole(dtype, 96);
        Matrix a = weights(dtype, 130, cols);
        Matrix b = weights(dtype, 40, cols);
        float[] x = Matrices.floats(random, 9 * cols);
        NativeProducts products = new NativeProducts(functions, level, 1, new PanelProducts(1));
        float[][] ys = {new float[9 * 130], new float[9 * 40]};
        products.onWorker(0, x, 9, new Matrix[] {a, b}, ys);
        products.close();
        assertThat(ys[0]).containsExactly(multiply(functions, level, x, 9, a, 2));
        assertThat(ys[1]).containsExactly(multiply(functions, level, x, 9, b, 2));
    }

    @Test
    void shared_groups_multiplyTheirOwnColumns() {
        Functions functions = functions();
        Matrix w = Matrices.random(random, DType.BF16, 6 * 20, 64, null);
        float[] x = Matrices.floats(random, 5 * 6 * 64);
        WorkerPool pool = new WorkerPool(2);
        NativeProducts products = new NativeProducts(functions, functions.best(), 2, new PanelProducts(2));
        float[] grouped = new float[5 * 120];
        products.shared(pool, x, 5, w, 6, grouped);
        for (int g = 0; g < 6; g++) {
            float[] own = new float[5 * 64];
            for (int r = 0; r < 5; r++) {
                System.arraycopy(x, (r * 6 + g) * 64, own, r * 64, 64);
            }
            float[] alone = new float[5 * 20];
            products.shared(pool, own, 5, w.slice("group", g * 20, (g + 1) * 20), 1, alone);
            for (int r = 0; r < 5; r++) {
                assertThat(Arrays.copyOfRange(grouped, r * 120 + g * 20, r * 120 + g * 20 + 20))
                        .containsExactly(Arrays.copyOfRange(alone, r * 20, r * 20 + 20));
            }
        }
        products.close();
        pool.close();
    }

    /// Every code of the formats with a table of their own, times one: the product is the value, rounded to bfloat16
    /// at most.
    @Test
    void product_everyFp8AndFp4Code_isItsValue() {
        Functions functions = functions();
        for (DType dtype : new DType[] {DType.F8_E4M3, DType.FP4_E2M1}) {
            int cols = 32;
            byte[] codes = new byte[Math.toIntExact(256 * dtype.bytes(cols))];
            for (int i = 0; i < codes.length; i++) {
                int code = i / (codes.length / 256);
                codes[i] = (byte) (dtype == DType.F8_E4M3 && (code & 0x7F) == 0x7F ? 0 : code);
            }
            Matrix w = new Matrix(
                    "codes",
                    dtype,
                    256,
                    cols,
                    java.lang.foreign.MemorySegment.ofArray(codes),
                    scales(dtype, 256, cols));
            float[] x = new float[cols];
            x[1] = 1;
            float[] y = multiply(functions, functions.best(), x, 1, w, 1);
            for (int n = 0; n < 256; n++) {
                assertThat(y[n]).as("%s code %d", dtype, n).isEqualTo(MatrixRows.value(w, n, 1));
            }
        }
    }

    private Matrix.@Nullable Scales scales(DType dtype, int rows, int cols) {
        return switch (dtype) {
            case F8_E4M3 -> Matrices.powers(random, rows, cols, 128, 128);
            case FP4_E2M1 -> Matrices.powers(random, rows, cols, 1, 32);
            default -> null;
        };
    }

    private static float[] multiply(Functions functions, Level level, float[] x, int rows, Matrix w, int threads) {
        float[] y = new float[rows * w.rows()];
        WorkerPool pool = new WorkerPool(threads);
        NativeProducts products = new NativeProducts(functions, level, threads, new PanelProducts(threads));
        products.shared(pool, x, rows, w, 1, y);
        products.close();
        pool.close();
        return y;
    }
}
