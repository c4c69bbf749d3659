package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.kernel.Kernels.Rotation;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import io.millrace.engine.tensor.Rounding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector ring's operations beside the products, against the reference and against themselves in other
/// company, over sizes that hit every tail. Tolerances: rounding of 2^-24 relative per term, terms of order
/// one; 2^-20 where elementary functions take part.
class VectorOperationsParityTest {
    private static final int[] SIZES = {1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129, 200};
    private static final int[] ROWS = {1, 2, 15, 16, 17, 70};
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

    /// An operation whose result is the floats it returns.
    private interface Operation {
        Floats run(Kernels kernels);
    }

    private static float[] same(Operation operation, double tolerance) {
        float[] expected = HostMemory.floats(operation.run(REFERENCE));
        float[] got = HostMemory.floats(operation.run(THREE));
        assertThat(got).hasSameSizeAs(expected);
        for (int i = 0; i < got.length; i++) {
            double allowed = tolerance * (1 + Math.abs(expected[i]));
            assertThat((double) got[i]).as("element %d, seed %d", i, SEED).isCloseTo(expected[i], within(allowed));
        }
        return got;
    }

    /// Rows of `width` floats.
    private static float[] rows(float[] x, int from, int to, int width) {
        return Arrays.copyOfRange(x, from * width, to * width);
    }

    @Test
    void rmsNorm_everyTailAndAloneLikeInCompany() {
        for (int dim : SIZES) {
            for (int rows : ROWS) {
                float[] x = Matrices.floats(random, rows * dim);
                float[] weight = Matrices.floats(random, dim);
                for (float[] w : new float @Nullable [][] {null, weight}) {
                    float[] all = same(kernels -> norm(kernels, x, rows, dim, w), 0x1p-20);
                    float[] last = rows(x, rows - 1, rows, dim);
                    assertThat(HostMemory.floats(norm(ONE, last, 1, dim, w)))
                            .containsExactly(rows(all, rows - 1, rows, dim));
                }
            }
        }
    }

    private static Floats norm(Kernels kernels, float[] x, int rows, int dim, float @Nullable [] weight) {
        Floats y = kernels.allocate(rows * dim);
        kernels.rmsNorm(kernels.upload(x), rows, dim, weight == null ? null : kernels.upload(weight), 1e-6, y);
        return y;
    }

    @ParameterizedTest
    @EnumSource(Rotation.class)
    void rotate_everyTail(Rotation rotation) {
        for (int pairs : new int[] {1, 3, 4, 8, 9, 16, 20, 32}) {
            for (int heads : new int[] {1, 3}) {
                int rows = 5;
                int dim = 2 * pairs + 7;
                float[] x = Matrices.floats(random, rows * heads * dim);
                float[] angles = Matrices.floats(random, rows * pairs * 2);
                same(
                        kernels -> {
                            Floats turned = kernels.upload(x);
                            kernels.rotate(turned, rows, heads, dim, kernels.upload(angles), pairs, rotation);
                            return turned;
                        },
                        0x1p-20);
            }
        }
    }

    @Test
    void roundings_bitForBitLikeTheScalarOnes() {
        for (int length : new int[] {1, 8, 16, 31, 64, 128, 200, 448}) {
            for (int exponent : new int[] {-140, -30, 0, 30, 120}) {
                float[] x = Matrices.floats(random, 3 * length);
                for (int i = 0; i < x.length; i++) {
                    x[i] = Math.scalb(x[i], exponent + random.nextInt(6));
                }
                x[0] = -0f;
                checkRoundings(x, length);
            }
        }
    }

    @Test
    void roundings_tiesAndValuesThatAreNotFinite() {
        float[] halves = new float[512];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = (i - 256) / 8f;
        }
        checkRoundings(halves, 128);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] x = Matrices.floats(random, 256);
            x[70] = bad;
            checkRoundings(x, 128);
        }
        checkRoundings(new float[128], 128);
    }

    private static void checkRoundings(float[] x, int length) {
        int rows = x.length / length;
        float[] expected = x.clone();
        for (int r = 0; r < rows; r++) {
            Rounding.fp8RoundTrip(expected, r * length, length, 64);
        }
        float[] got = x.clone();
        THREE.roundFp8(new HostFloats(got), rows, length, length, 64);
        assertSameBits(got, expected);
        if (Integer.bitCount(length) == 1) {
            float[] transformed = x.clone();
            for (int r = 0; r < rows; r++) {
                Rounding.hadamard(transformed, r * length, length);
                Rounding.fp4RoundTrip(transformed, r * length, length, 32);
            }
            float[] found = x.clone();
            THREE.hadamardRoundFp4(new HostFloats(found), rows, length, 32);
            assertSameBits(found, transformed);
        }
        float[] fourBits = x.clone();
        Rounding.fp4RoundTrip(fourBits, 0, x.length, 32);
        float[] foundFour = x.clone();
        VectorRounding.fp4RoundTrip(foundFour, 0, x.length, 32);
        assertSameBits(foundFour, fourBits);
    }

    private static void assertSameBits(float[] got, float[] expected) {
        for (int i = 0; i < got.length; i++) {
            assertThat(Float.floatToIntBits(got[i]))
                    .as("element %d: %s and %s", i, got[i], expected[i])
                    .isEqualTo(Float.floatToIntBits(expected[i]));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16", "F16", "F8_E4M3", "FP4_E2M1", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "MXFP4"})
    void embed_bitForBitLikeTheSlowRows(DType dtype) {
        for (int size : SIZES) {
            // whole blocks
            int dim = Math.ceilDiv(size, dtype.blockElements()) * dtype.blockElements();
            int vocabulary = 130;
            Matrix embed = Matrices.random(
                    random,
                    dtype,
                    vocabulary,
                    dim,
                    switch (dtype) {
                        case F8_E4M3 -> Matrices.powers(random, vocabulary, dim, 128, 128);
                        case FP4_E2M1 -> Matrices.powers(random, vocabulary, dim, 1, 32);
                        default -> null;
                    });
            int[] tokens = {129, 0, 7, 7, 128};
            float[] got = new float[tokens.length * 3 * dim];
            THREE.embed(embed, tokens, tokens.length, 3, new HostFloats(got));
            float[] row = new float[dim];
            for (int r = 0; r < tokens.length; r++) {
                MatrixRows.decode(embed, tokens[r], row, 0);
                for (int c = 0; c < 3; c++) {
                    assertThat(rows(got, 3 * r + c, 3 * r + c + 1, dim)).containsExactly(row);
                }
            }
        }
    }

    @Test
    void gatherAndAdd_everyTail() {
        for (int dim : SIZES) {
            int[] indices = {3, 0, 0, 4, 1};
            float[] x = Matrices.floats(random, 5 * dim);
            same(
                    kernels -> {
                        Floats out = kernels.allocate(5 * dim);
                        kernels.gather(kernels.upload(x), indices, dim, out);
                        kernels.add(kernels.upload(x), 5 * dim, out);
                        return out;
                    },
                    0x1p-23);
        }
    }

    @Test
    void add_severalChunks() {
        float[] x = Matrices.floats(random, 100_001);
        float[] got = x.clone();
        THREE.add(new HostFloats(x), x.length, new HostFloats(got));
        for (int i = 0; i < x.length; i++) {
            assertThat(got[i]).isEqualTo(2 * x[i]);
        }
    }

    @Test
    void logSumExp_everyTail() {
        for (int dim : new int[] {1, 7, 16, 63, 64, 65, 4095, 4096, 4097, 9000}) {
            float[] x = Matrices.floats(random, 3 * dim);
            double[] expected = REFERENCE.logSumExp(REFERENCE.upload(x), 3, dim);
            double[] got = THREE.logSumExp(new HostFloats(x), 3, dim);
            for (int r = 0; r < 3; r++) {
                assertThat(got[r]).isCloseTo(expected[r], within(1e-6));
                assertThat(ONE.logSumExp(new HostFloats(rows(x, r, r + 1, dim)), 1, dim))
                        .containsExactly(got[r]);
            }
        }
    }

    @Test
    void route_likeTheReference() {
        for (int experts : new int[] {7, 16, 33, 64, 256}) {
            int rows = 70;
            int topK = Math.min(6, experts);
            float[] logits = Matrices.floats(random, rows * experts);
            // far apart, so that noise does not choose
            for (int i = 0; i < logits.length; i++) {
                logits[i] = Math.round(logits[i] * 4096) / 256f;
            }
            float[] bias = Matrices.floats(random, experts);
            for (float[] b : new float @Nullable [][] {null, bias}) {
                Routing expected = route(REFERENCE, logits, rows, experts, b, topK);
                Routing got = route(THREE, logits, rows, experts, b, topK);
                assertThat(got.experts()).containsExactly(expected.experts());
                assertThat(got.weights()).containsExactly(expected.weights(), within(1e-6f));
            }
        }
    }

    private static Routing route(
            Kernels kernels, float[] logits, int rows, int experts, float @Nullable [] bias, int topK) {
        return kernels.route(
                kernels.upload(logits), rows, experts, bias == null ? null : kernels.upload(bias), topK, 2.5);
    }

    @Test
    void weigh_scoresFarBelowTheSmallestFloat() {
        float[] logits = {-400, -401, 3};
        Routing got = ONE.weigh(new HostFloats(logits), 1, 3, new int[] {0, 1}, 2, 1);
        Routing expected = REFERENCE.weigh(REFERENCE.upload(logits), 1, 3, new int[] {0, 1}, 2, 1);
        assertThat(got.weights()).containsExactly(expected.weights(), within(1e-6f));
    }

    @Test
    void sqrtSoftplus_relativeErrorBelowTwoToTheMinus20() {
        float[] x = new float[4096];
        for (int i = 0; i < x.length; i++) {
            x[i] = (i - 2048) * (86f / 2048);
        }
        float[] got = new float[x.length];
        VectorRows.scores(x, 0, x.length, null, got);
        for (int i = 0; i < x.length; i++) {
            double expected = Math.sqrt(Math.log1p(Math.exp(x[i])));
            assertThat((double) got[i]).as("%s", x[i]).isCloseTo(expected, within(expected * 0x1p-20));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void hyperConnections_likeTheReferenceAndAloneLikeInCompany(int n) {
        for (int dim : new int[] {1, 16, 33}) {
            for (int rows : ROWS) {
                HyperSite site = site(n, dim, (2 + n) * n, 3);
                HyperSite head = site(n, dim, n, 1);
                float[] streams = Matrices.floats(random, rows * n * dim);
                float[] all = same(kernels -> hyper(kernels, streams, rows, dim, site, head), 2e-5);
                for (int r : new int[] {0, rows / 2, rows - 1}) {
                    float[] alone = HostMemory.floats(hyper(ONE, rows(streams, r, r + 1, n * dim), 1, dim, site, head));
                    int at = 0;
                    int to = 0;
                    for (int width : new int[] {dim, n, n * n, n * dim, dim}) {
                        assertThat(Arrays.copyOfRange(alone, to, to + width))
                                .containsExactly(Arrays.copyOfRange(all, at + r * width, at + (r + 1) * width));
                        at += rows * width;
                        to += width;
                    }
                }
            }
        }
    }

    private HyperSite site(int n, int dim, int mixes, int scales) {
        float[] fn = Matrices.floats(random, mixes * n * dim);
        for (int i = 0; i < fn.length; i++) {
            fn[i] /= (float) Math.sqrt(n * dim);
        }
        return new HyperSite(
                n,
                Matrices.f32(mixes, n * dim, fn),
                new HostFloats(Matrices.floats(random, mixes)),
                new HostFloats(Matrices.floats(random, scales)),
                20,
                1e-6,
                1e-6);
    }

    /// collapsed, post, combine, the expanded streams and those collapsed for the head, one after another.
    private static Floats hyper(Kernels kernels, float[] x, int rows, int dim, HyperSite site, HyperSite head) {
        int n = site.n();
        Floats streams = kernels.upload(x);
        Floats[] parts = {
            kernels.allocate(rows * dim),
            kernels.allocate(rows * n),
            kernels.allocate(rows * n * n),
            streams,
            kernels.allocate(rows * dim)
        };
        kernels.hyperMix(streams, rows, dim, site, parts[0], parts[1], parts[2]);
        kernels.hyperExpand(parts[0], parts[1], parts[2], rows, n, dim, streams);
        kernels.hyperCollapse(streams, rows, dim, head, parts[4]);
        Floats out =
                kernels.allocate(Arrays.stream(parts).mapToInt(Floats::size).sum());
        int at = 0;
        for (Floats part : parts) {
            kernels.copy(part, 0, out, at, part.size());
            at += part.size();
        }
        return out;
    }

    @Test
    void hyperMix_mixingMatrixOfAnotherFormat() {
        int dim = 24;
        int rows = 19;
        Matrix fn = Matrices.random(random, DType.BF16, 24, 4 * dim, null);
        HyperSite site = new HyperSite(
                4, fn, new HostFloats(new float[24]), new HostFloats(new float[] {0.1f, 0.1f, 0.1f}), 20, 1e-6, 1e-6);
        float[] streams = Matrices.floats(random, rows * 4 * dim);
        same(
                kernels -> {
                    Floats combine = kernels.allocate(rows * 16);
                    kernels.hyperMix(
                            kernels.upload(streams),
                            rows,
                            dim,
                            site,
                            kernels.allocate(rows * dim),
                            kernels.allocate(rows * 4),
                            combine);
                    return combine;
                },
                2e-5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void pool_twoSequencesInChunks(boolean overlapping) {
        for (int dim : new int[] {1, 8, 17, 40}) {
            Pooling shape = new Pooling(4, dim, overlapping);
            int tokens = 29;
            float[] values = Matrices.floats(random, 2 * tokens * shape.width());
            float[] scores = Matrices.floats(random, 2 * tokens * shape.width());
            float[] ape = Matrices.floats(random, 4 * shape.width());
            int[] whole = {tokens};
            float[] together = same(kernels -> pooled(kernels, shape, values, scores, ape, tokens, whole), 0x1p-20);
            for (int[] chunks : new int[][] {{1, 1, 1, 1, 1, 24}, {3, 2, 9, 15}, {4, 4, 21}, {28, 1}, {6, 23}}) {
                float[] parts = same(kernels -> pooled(kernels, shape, values, scores, ape, tokens, chunks), 0x1p-20);
                assertThat(parts).containsExactly(together);
            }
        }
    }

    /// Pooled rows of two sequences that go in step: [2, tokens / ratio, dim].
    private static Floats pooled(
            Kernels kernels, Pooling shape, float[] values, float[] scores, float[] ape, int tokens, int[] chunks) {
        int width = shape.width();
        int state = shape.stateRows() * width;
        float[] unseen = new float[state];
        Arrays.fill(unseen, Float.NEGATIVE_INFINITY);
        Floats[] stateValues = {kernels.allocate(state), kernels.allocate(state)};
        Floats[] stateScores = {kernels.upload(unseen), kernels.upload(unseen)};
        int entries = tokens / shape.ratio();
        Floats out = kernels.allocate(2 * entries * shape.dim());
        int position = 0;
        for (int chunk : chunks) {
            float[] stepValues = new float[2 * chunk * width];
            float[] stepScores = new float[2 * chunk * width];
            List<PoolSpan> spans = new ArrayList<>();
            for (int s = 0; s < 2; s++) {
                int from = (s * tokens + position) * width;
                System.arraycopy(values, from, stepValues, s * chunk * width, chunk * width);
                System.arraycopy(scores, from, stepScores, s * chunk * width, chunk * width);
                int entry = s * entries + position / shape.ratio();
                spans.add(new PoolSpan(s * chunk, chunk, position, stateValues[s], stateScores[s], entry));
            }
            kernels.pool(
                    kernels.upload(stepValues), kernels.upload(stepScores), kernels.upload(ape), shape, spans, out);
            position += chunk;
        }
        return out;
    }

    @Test
    void topKSelect_choosesWhatSortingChooses() {
        TopKSelect select = new TopKSelect();
        for (int count : new int[] {1, 2, 33, 100, 1000, 9000}) {
            for (int k : new int[] {1, 2, 31, 32, 33, 64, 512}) {
                float[] scores = Matrices.floats(random, count);
                assertThat(select.places(scores, 0, count, k)).containsExactly(TopK.places(scores, count, k));
                // ties, zeros of both signs and infinities
                for (int i = 0; i < count; i++) {
                    scores[i] = Math.round(scores[i]) / (i % 3 == 0 ? -1f : i % 7);
                }
                assertThat(select.places(scores, 0, count, k)).containsExactly(TopK.places(scores, count, k));
                // the list is full again and again
                Arrays.sort(scores);
                assertThat(select.places(scores, 0, count, k)).containsExactly(TopK.places(scores, count, k));
                float[] behind = new float[count + 3];
                System.arraycopy(scores, 0, behind, 3, count);
                assertThat(select.places(behind, 3, count, k)).containsExactly(TopK.places(scores, count, k));
            }
        }
    }
}
