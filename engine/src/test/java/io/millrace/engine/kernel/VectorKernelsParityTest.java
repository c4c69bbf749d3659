package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntFunction;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector ring against the reference, over sizes that hit every tail, and against itself in other
/// company: a row's bits must not change with its companions or the number of threads. Tolerance: float
/// chains against double sums, so rounding of 2^-24 relative per term, terms of order one.
class VectorKernelsParityTest {
    private static final int[] SIZES = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 127, 128, 129};
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);

    private static final Kernels REFERENCE = new ReferenceKernels();
    private static final Kernels ONE = new VectorKernels(1, "test");
    private static final Kernels THREE = new VectorKernels(3, "test");

    private final Random random = new Random(SEED);

    @AfterAll
    static void close() {
        ONE.close();
        THREE.close();
    }

    private static void assertClose(float[] got, float[] expected, double tolerance) {
        assertThat(got).hasSameSizeAs(expected);
        for (int i = 0; i < got.length; i++) {
            assertThat(got[i]).as("element %d, seed %d", i, SEED).isCloseTo(expected[i], within((float) tolerance));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16", "F16", "F8_E4M3", "FP4_E2M1"})
    void matmul_everyFormatAndTail(DType dtype) {
        for (int rows : SIZES) {
            int cols = 2 * SIZES[random.nextInt(SIZES.length)];
            int outputs = SIZES[random.nextInt(SIZES.length)];
            Matrix w = Matrices.random(random, dtype, outputs, cols, scales(dtype, outputs, cols));
            float[] x = Matrices.floats(random, rows * cols);
            Floats expected = REFERENCE.allocate(rows * outputs);
            REFERENCE.matmul(new HostFloats(x), rows, w, expected);
            double largest = 0;
            for (int n = 0; n < outputs; n++) {
                largest = Math.max(largest, rowNorm(w, n));
            }
            double tolerance = 0x1p-22 * cols * largest / Math.sqrt(cols) * 4;
            for (Kernels ring : new Kernels[] {ONE, THREE}) {
                float[] got = new float[rows * outputs];
                ring.matmul(new HostFloats(x), rows, w, new HostFloats(got));
                assertClose(got, HostMemory.floats(expected), tolerance);
            }
        }
    }

    private Matrix.@org.jspecify.annotations.Nullable Scales scales(DType dtype, int rows, int cols) {
        return switch (dtype) {
            case F8_E4M3 -> Matrices.powers(random, rows, cols, 128, 128);
            case FP4_E2M1 -> Matrices.powers(random, rows, cols, 1, 32);
            default -> null;
        };
    }

    private static double rowNorm(Matrix w, int row) {
        float[] values = new float[w.cols()];
        io.millrace.engine.tensor.MatrixRows.decode(w, row, values, 0);
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }

    @Test
    void matmul_floatScales() {
        Matrix.Scales scales = new Matrix.Scales(DType.F32, 128, 128, MemorySegment.ofArray(new byte[] {
            0, 0, 0, 63, 0, 0, 0, 64, 0, 0, 64, 63, 0, 0, -128, 63
        }));
        Matrix w = Matrices.random(random, DType.F8_E4M3, 130, 140, scales);
        float[] x = Matrices.floats(random, 140);
        Floats expected = REFERENCE.allocate(130);
        float[] got = new float[130];
        REFERENCE.matmul(new HostFloats(x), 1, w, expected);
        ONE.matmul(new HostFloats(x), 1, w, new HostFloats(got));
        for (int i = 0; i < 130; i++) {
            assertThat((double) got[i]).isCloseTo(HostMemory.floats(expected)[i], within(1e-5 * rowNorm(w, i)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void groupedMatmul_groupsNotAMultipleOfAPanel(int groups) {
        int perGroup = 37;
        int cols = 24;
        int rows = 13;
        Matrix w = Matrices.f32(groups * perGroup, cols, Matrices.floats(random, groups * perGroup * cols));
        float[] x = Matrices.floats(random, rows * groups * cols);
        Floats expected = REFERENCE.allocate(rows * groups * perGroup);
        float[] got = new float[rows * groups * perGroup];
        REFERENCE.groupedMatmul(new HostFloats(x), rows, w, groups, expected);
        THREE.groupedMatmul(new HostFloats(x), rows, w, groups, new HostFloats(got));
        assertClose(got, HostMemory.floats(expected), 1e-5);
    }

    @Test
    void matmul_aRowsBitsDoNotDependOnItsCompanions() {
        int cols = 136;
        int outputs = 100;
        Matrix w = Matrices.random(random, DType.FP4_E2M1, outputs, cols, scales(DType.FP4_E2M1, outputs, cols));
        float[] x = Matrices.floats(random, 129 * cols);
        float[] all = new float[129 * outputs];
        THREE.matmul(new HostFloats(x), 129, w, new HostFloats(all));
        for (int r : new int[] {0, 5, 63, 64, 128}) {
            float[] alone = new float[outputs];
            ONE.matmul(new HostFloats(Arrays.copyOfRange(x, r * cols, (r + 1) * cols)), 1, w, new HostFloats(alone));
            assertThat(alone).containsExactly(Arrays.copyOfRange(all, r * outputs, (r + 1) * outputs));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 24, 33})
    void matmul_fewOutputsShareTheRowsOut(int outputs) {
        int cols = 40;
        Matrix w = Matrices.f32(outputs, cols, Matrices.floats(random, outputs * cols));
        for (int rows : new int[] {0, 1, 31, 32, 33, 65, 200}) {
            float[] x = Matrices.floats(random, rows * cols);
            float[] shared = new float[rows * outputs];
            float[] single = new float[rows * outputs];
            Floats expected = REFERENCE.allocate(rows * outputs);
            THREE.matmul(new HostFloats(x), rows, w, new HostFloats(shared));
            ONE.matmul(new HostFloats(x), rows, w, new HostFloats(single));
            REFERENCE.matmul(new HostFloats(x), rows, w, expected);
            assertThat(shared).containsExactly(single);
            assertClose(shared, HostMemory.floats(expected), 1e-4);
        }
    }

    @Test
    void workerPool_everyItemOnceAlsoAfterPauses() {
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int round = 0; round < 2_000; round++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(7);
                pool.forEach(7, (item, worker) -> runs.incrementAndGet(item));
                for (int item = 0; item < 7; item++) {
                    assertThat(runs.get(item)).isEqualTo(1);
                }
                while (round % 100 == 0 && workersRun()) {
                    // all of them parked: the next round has to wake them
                    Thread.onSpinWait();
                }
            }
        }
    }

    private static boolean workersRun() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("millrace-worker-"))
                .anyMatch(thread -> thread.getState() == Thread.State.RUNNABLE);
    }

    @Test
    void experts_likeTheReferenceAndAloneLikeInCompany() {
        int dim = 40;
        int inner = 24;
        int count = 5;
        int topK = 3;
        int rows = 33;
        Swiglu[] store = new Swiglu[count];
        Arrays.setAll(
                store,
                e -> new Swiglu(
                        Matrices.f32(inner, dim, Matrices.floats(random, inner * dim)),
                        Matrices.f32(inner, dim, Matrices.floats(random, inner * dim)),
                        Matrices.f32(dim, inner, Matrices.floats(random, inner * dim))));
        IntFunction<Swiglu> experts = e -> store[e];
        float[] x = Matrices.floats(random, rows * dim);
        Routing routing =
                REFERENCE.route(new HostFloats(Matrices.floats(random, rows * count)), rows, count, null, topK, 1.5);
        Floats expected = REFERENCE.allocate(rows * dim);
        float[] got = new float[rows * dim];
        REFERENCE.experts(new HostFloats(x), rows, dim, routing, experts, 2, expected);
        THREE.experts(new HostFloats(x), rows, dim, routing, experts, 2, new HostFloats(got));
        assertClose(got, HostMemory.floats(expected), 2e-4);

        for (int r : new int[] {0, 16, 32}) {
            Routing one = Routing.of(
                    Arrays.copyOfRange(routing.experts(), r * topK, (r + 1) * topK),
                    Arrays.copyOfRange(routing.weights(), r * topK, (r + 1) * topK),
                    topK);
            float[] alone = new float[dim];
            ONE.experts(
                    new HostFloats(Arrays.copyOfRange(x, r * dim, (r + 1) * dim)),
                    1,
                    dim,
                    one,
                    experts,
                    2,
                    new HostFloats(alone));
            assertThat(alone).containsExactly(Arrays.copyOfRange(got, r * dim, (r + 1) * dim));
        }
    }

    @Test
    void hyperMix_likeTheReference() {
        int n = 3;
        int dim = 20;
        int rows = 37;
        int mixes = (2 + n) * n;
        HyperSite site = new HyperSite(
                n,
                Matrices.f32(mixes, n * dim, Matrices.floats(random, mixes * n * dim)),
                new HostFloats(Matrices.floats(random, mixes)),
                new HostFloats(Matrices.floats(random, 3)),
                7,
                1e-6,
                1e-6);
        float[] streams = Matrices.floats(random, rows * n * dim);
        float[][] expected = hyper(REFERENCE, streams, rows, dim, site);
        float[][] got = hyper(THREE, streams, rows, dim, site);
        for (int i = 0; i < expected.length; i++) {
            assertClose(got[i], expected[i], 1e-4);
        }
    }

    private float[][] hyper(Kernels kernels, float[] streams, int rows, int dim, HyperSite site) {
        int n = site.n();
        Floats collapsed = kernels.allocate(rows * dim);
        Floats post = kernels.allocate(rows * n);
        Floats combine = kernels.allocate(rows * n * n);
        Floats state = kernels.upload(streams);
        kernels.hyperMix(state, rows, dim, site, collapsed, post, combine);
        kernels.hyperExpand(collapsed, post, combine, rows, n, dim, state);
        return new float[][] {
            HostMemory.floats(collapsed), HostMemory.floats(post), HostMemory.floats(combine), HostMemory.floats(state)
        };
    }

    @Test
    void vectorExp_relativeErrorBelowTwoToTheMinus22() {
        float[] x = new float[4096];
        for (int i = 0; i < x.length; i++) {
            x[i] = -i * 87f / x.length;
        }
        float[] got = new float[x.length];
        for (int i = 0; i < x.length; i += LANES) {
            VectorMath.exp(FloatVector.fromArray(FLOATS, x, i)).intoArray(got, i);
        }
        for (int i = 0; i < x.length; i++) {
            double expected = Math.exp(x[i]);
            assertThat((double) got[i]).isCloseTo(expected, within(expected * 0x1p-22));
        }
    }

    @Test
    void workerPool_failureOfAnItemReachesTheCaller() {
        try (WorkerPool pool = new WorkerPool(3)) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> pool.forEach(100, (item, worker) -> {
                        if (item == 57) {
                            throw new IllegalStateException("item 57");
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("item 57");
        }
    }
}
