package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.kernel.Kernels.SoftmaxOver;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Causal attention over pages, half-split rotation and softmax routing: every ring against the reference
/// over sizes that hit every tail, and against itself in other company and other chunks.
class DecoderKernelsParityTest {
    private static final int[] LENGTHS = {1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 129, 300};
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);

    private static final Kernels REFERENCE = new ReferenceKernels();
    private static final List<Ring> RINGS = Ring.open();
    private static final Kernels THREE = RINGS.getFirst().three();

    private final Random random = new Random(SEED);

    @AfterAll
    static void close() {
        RINGS.forEach(Ring::close);
    }

    static Stream<Ring> rings() {
        return RINGS.stream();
    }

    /// A sequence of random queries, keys and values.
    private record Sequence(int heads, KeyValueShape shape, int length, float[] q, float[] keys, float[] values) {
        /// Attention outputs [length, heads, dim], the tokens taken in chunks.
        float[] attend(Kernels kernels, int... chunks) {
            float[] all = new float[length * heads * shape.dim()];
            List<Floats> pages = pages(kernels);
            int position = 0;
            for (int i = 0; position < length; i++) {
                int count = Math.min(chunks[i % chunks.length], length - position);
                List<CausalSpan> spans = List.of(new CausalSpan(0, count, position, pages));
                int row = heads * shape.dim();
                int keyRow = shape.heads() * shape.dim();
                kernels.keep(
                        part(kernels, keys, position, count, keyRow),
                        part(kernels, values, position, count, keyRow),
                        shape,
                        spans);
                Floats out = kernels.allocate(count * row);
                kernels.attendCausal(part(kernels, q, position, count, row), heads, shape, spans, scale(), out);
                System.arraycopy(HostMemory.floats(out), 0, all, position * row, count * row);
                position += count;
            }
            return all;
        }

        double scale() {
            return 1 / Math.sqrt(shape.dim());
        }

        List<Floats> pages(Kernels kernels) {
            List<Floats> pages = new ArrayList<>();
            for (int i = 0; i < Math.ceilDiv(length, KeyValueShape.PAGE_ROWS); i++) {
                pages.add(kernels.allocate(shape.pageFloats()));
            }
            return pages;
        }

        private static Floats part(Kernels kernels, float[] x, int position, int count, int row) {
            return kernels.upload(Arrays.copyOfRange(x, position * row, (position + count) * row));
        }
    }

    private Sequence sequence(int length, int group, int keyValueHeads, int dim) {
        int heads = group * keyValueHeads;
        return new Sequence(
                heads,
                new KeyValueShape(keyValueHeads, dim),
                length,
                Matrices.floats(random, length * heads * dim),
                Matrices.floats(random, length * keyValueHeads * dim),
                Matrices.floats(random, length * keyValueHeads * dim));
    }

    private static void assertClose(float[] got, float[] expected, double tolerance) {
        assertThat(got).hasSameSizeAs(expected);
        for (int i = 0; i < got.length; i++) {
            assertThat(got[i]).as("element %d, seed %d", i, SEED).isCloseTo(expected[i], within((float) tolerance));
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attendCausal_everyTail(Ring ring) {
        for (int group : new int[] {1, 2, 3, 4, 5, 8, 17}) {
            for (int length : LENGTHS) {
                int dim = new int[] {2, 8, 16, 24, 64, 80, 128}[random.nextInt(7)];
                Sequence sequence = sequence(length, group, 1 + random.nextInt(3), dim);
                float[] expected = sequence.attend(REFERENCE, length);
                assertClose(sequence.attend(ring.three(), length), expected, ring.tolerance());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attendCausal_theSameBitsInAnyChunks(Ring ring) {
        for (int group : new int[] {1, 2, 3, 5, 8}) {
            for (int dim : new int[] {16, 64, 80}) {
                Sequence sequence = sequence(150, group, 2, dim);
                float[] whole = sequence.attend(ring.three(), 150);
                assertSameBits(sequence.attend(ring.one(), 1), whole);
                assertSameBits(sequence.attend(ring.three(), 7, 1, 40, 3), whole);
            }
        }
    }

    private static void assertSameBits(float[] got, float[] expected) {
        int different = Arrays.mismatch(got, expected);
        assertThat(different).as("first element that differs, seed %d", SEED).isEqualTo(-1);
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attendCausal_theSameBitsInAnyCompany(Ring ring) {
        Sequence[] sequences = {sequence(70, 4, 2, 64), sequence(1, 4, 2, 64), sequence(33, 4, 2, 64)};
        int row = 8 * 64;
        int keyRow = 2 * 64;
        List<CausalSpan> spans = new ArrayList<>();
        float[] q = new float[104 * row];
        float[] keys = new float[104 * keyRow];
        float[] values = new float[104 * keyRow];
        int rows = 0;
        for (Sequence sequence : sequences) {
            System.arraycopy(sequence.q(), 0, q, rows * row, sequence.q().length);
            System.arraycopy(sequence.keys(), 0, keys, rows * keyRow, sequence.keys().length);
            System.arraycopy(sequence.values(), 0, values, rows * keyRow, sequence.values().length);
            spans.add(new CausalSpan(rows, sequence.length(), 0, sequence.pages(ring.three())));
            rows += sequence.length();
        }
        KeyValueShape shape = sequences[0].shape();
        float[] together = new float[rows * row];
        ring.three().keep(new HostFloats(keys), new HostFloats(values), shape, spans);
        ring.three().attendCausal(new HostFloats(q), 8, shape, spans, sequences[0].scale(), new HostFloats(together));
        for (int s = 0; s < sequences.length; s++) {
            int from = spans.get(s).firstRow() * row;
            assertSameBits(
                    Arrays.copyOfRange(together, from, from + sequences[s].length() * row),
                    sequences[s].attend(ring.one(), sequences[s].length()));
        }
    }

    /// What a later position holds must not reach an earlier query, not even as 0 times NaN.
    @ParameterizedTest
    @MethodSource("rings")
    void attendCausal_aQuerySeesNothingBehindIt(Ring ring) {
        Sequence sequence = sequence(50, 2, 1, 64);
        float[] whole = sequence.attend(ring.three(), 50);
        int last = 49 * 64;
        Arrays.fill(sequence.keys(), last, last + 64, Float.NaN);
        Arrays.fill(sequence.values(), last, last + 64, Float.NaN);
        float[] poisoned = sequence.attend(ring.three(), 50);
        int row = 2 * 64;
        assertSameBits(Arrays.copyOf(poisoned, 49 * row), Arrays.copyOf(whole, 49 * row));
        assertThat(poisoned[49 * row]).isNaN();
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attendCausal_hugeScoresDoNotOverflow(Ring ring) {
        Sequence sequence = sequence(40, 1, 1, 16);
        for (int i = 0; i < sequence.q().length; i++) {
            // of few bits, so that every ring multiplies the same
            sequence.q()[i] = 8192 * Math.round(4 * sequence.q()[i]);
            sequence.keys()[i] = Math.round(4 * sequence.keys()[i]);
        }
        assertClose(sequence.attend(ring.one(), 40), sequence.attend(REFERENCE, 40), ring.tolerance());
    }

    @Test
    void rotateHalves_likeTheReference() {
        for (int dim : new int[] {2, 6, 16, 64, 80, 128}) {
            int rows = 19;
            int heads = 3;
            float[] x = Matrices.floats(random, rows * heads * dim);
            float[] angles = Matrices.floats(random, rows * dim);
            Floats expected = REFERENCE.upload(x);
            Floats got = THREE.upload(x);
            REFERENCE.rotateHalves(expected, rows, heads, dim, REFERENCE.upload(angles));
            THREE.rotateHalves(got, rows, heads, dim, THREE.upload(angles));
            assertClose(HostMemory.floats(got), HostMemory.floats(expected), 1e-5);
        }
    }

    /// By hand: one head of four, a quarter turn of the first pair, none of the second.
    @Test
    void rotateHalves_turnsTheFirstHalfAgainstTheSecond() {
        Floats x = REFERENCE.upload(new float[] {1, 2, 3, 4});
        REFERENCE.rotateHalves(x, 1, 1, 4, REFERENCE.upload(new float[] {0, 1, 1, 0}));
        assertThat(HostMemory.floats(x)).containsExactly(-3, 2, 1, 4);
    }

    @ParameterizedTest
    @EnumSource(SoftmaxOver.class)
    void routeSoftmax_likeTheReference(SoftmaxOver over) {
        for (int experts : new int[] {1, 7, 8, 60, 128}) {
            int topK = Math.min(experts, 1 + random.nextInt(8));
            int rows = 37;
            float[] logits = Matrices.floats(random, rows * experts);
            logits[0] = 500;
            Routing expected = REFERENCE.routeSoftmax(REFERENCE.upload(logits), rows, experts, topK, over);
            Routing got = THREE.routeSoftmax(THREE.upload(logits), rows, experts, topK, over);
            assertThat(got.experts()).containsExactly(expected.experts());
            assertClose(got.weights(), expected.weights(), 1e-6);
        }
    }

    /// Logits ln 1, ln 5, ln 2, ln 2: shares of 10, or of the chosen 7.
    @Test
    void routeSoftmax_sharesOfAllAndOfTheChosen() {
        float[] logits = {0, (float) Math.log(5), (float) Math.log(2), (float) Math.log(2)};
        Routing all = REFERENCE.routeSoftmax(REFERENCE.upload(logits), 1, 4, 2, SoftmaxOver.ALL);
        assertThat(all.experts()).containsExactly(1, 2);
        assertClose(all.weights(), new float[] {0.5f, 0.2f}, 1e-6);
        Routing chosen = REFERENCE.routeSoftmax(REFERENCE.upload(logits), 1, 4, 2, SoftmaxOver.CHOSEN);
        assertClose(chosen.weights(), new float[] {5 / 7f, 2 / 7f}, 1e-6);
    }
}
