package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.NativeLibrary.Arithmetic;
import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.kernel.NativeLibrary.Level;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The compiled products of every level this processor has: {@link ProductParity}, and what is particular
/// to sharing them out.
class NativeProductsTest {
    private final Random random = new Random(20261122L);
    private final ProductParity parity = new ProductParity(NativeProductsTest::product);

    private static Functions functions() {
        assumeTrue(NativeLibrary.functions() != null, NativeLibrary::reason);
        return Objects.requireNonNull(NativeLibrary.functions());
    }

    /// Those of this processor; where there are none, one that is skipped with the reason.
    static List<Level> levels() {
        Functions functions = NativeLibrary.functions();
        return functions == null ? List.of(Level.AVX2) : functions.levels();
    }

    static Stream<Arguments> levelsAndFormats() {
        return levels().stream()
                .flatMap(level -> ProductParity.FORMATS.stream().map(dtype -> Arguments.of(level, dtype)));
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void product_everyTail_isWithinTheRoundingOfItsArithmetic(Level level, DType dtype) {
        functions();
        parity.everyTailIsWithinRounding(level, dtype);
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void product_rowAlone_hasTheSameBitsAsInCompany(Level level, DType dtype) {
        functions();
        parity.aRowAloneHasTheSameBitsAsInCompany(level, dtype);
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void product_ofARowThatIsNotFinite_isNotFinite(Level level, DType dtype) {
        functions();
        parity.whatIsNotFiniteStaysSo(level, dtype);
    }

    @ParameterizedTest
    @MethodSource("levelsAndFormats")
    void onWorker_hasTheSameBitsAsSharedOut(Level level, DType dtype) {
        Functions functions = functions();
        int cols = ProductParity.whole(dtype, 96);
        Matrix a = parity.weights(dtype, 130, cols);
        Matrix b = parity.weights(dtype, 40, cols);
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

    /// Every code of the formats with a table of their own, times one: the product is the value, rounded to
    /// bfloat16 at most.
    @ParameterizedTest
    @MethodSource("levels")
    void product_everyFp8AndFp4Code_isItsValue(Level level) {
        for (DType dtype : new DType[] {DType.F8_E4M3, DType.FP4_E2M1}) {
            checkEveryCode(level, dtype);
        }
    }

    private void checkEveryCode(Level level, DType dtype) {
        int cols = 32;
        byte[] codes = new byte[Math.toIntExact(256 * dtype.bytes(cols))];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (i / (codes.length / 256));
        }
        Matrix.Scales scales = parity.scales(dtype, 256, cols);
        Matrix w = new Matrix("codes", dtype, 256, cols, MemorySegment.ofArray(codes), scales);
        float[] x = new float[cols];
        x[1] = 1;
        float[] y = multiply(functions(), level, x, 1, w, 1);
        for (int n = 0; n < 256; n++) {
            // boxed, so that NaN equals NaN; plus zero, so that no zero is negative
            Float expected = MatrixRows.value(w, n, 1) + 0f;
            assertThat(y[n]).as("%s %s code %d", level, dtype, n).isEqualTo(expected);
        }
    }

    private static ProductParity.Product product(Level level, float[] x, int rows, Matrix w, int parts) {
        Arithmetic how = Objects.requireNonNull(functions().arithmetic(level, NativeProducts.format(w.dtype())));
        return new ProductParity.Product(how, multiply(functions(), level, x, rows, w, parts));
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
