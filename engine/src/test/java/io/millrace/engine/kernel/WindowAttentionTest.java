package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Attention over a window and pooled rows: every ring against the reference over
/// sizes that hit every tail, and against itself in other chunks and other company.
class WindowAttentionTest {
    private static final int PAGE_ROWS = 16;
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);

    private static final Kernels REFERENCE = new ReferenceKernels();
    private static final List<Ring> RINGS = Ring.open();

    private final Random random = new Random(SEED);

    static Stream<Ring> rings() {
        return RINGS.stream();
    }

    @AfterAll
    static void close() {
        RINGS.forEach(Ring::close);
    }

    /// A sequence of random queries and keys, and the rows pooled from every `ratio` of its tokens.
    ///
    /// @param q [length, heads, dim]
    /// @param keys [length, dim]
    /// @param pooled [length / ratio, dim]
    /// @param chosen what each row sees of the pooled rows, or null
    private record Sequence(
            int length,
            int heads,
            int dim,
            int window,
            int ratio,
            float[] q,
            float[] keys,
            float[] pooled,
            float[] sink,
            int @Nullable [][] chosen) {

        int row() {
            return heads * dim;
        }

        /// What a cache would hold before `position`.
        WindowSpan span(Kernels kernels, int firstRow, int position, int count) {
            float[] kept = new float[window * dim];
            for (int p = Math.max(0, position - window); p < position; p++) {
                System.arraycopy(keys, p * dim, kept, p % window * dim, dim);
            }
            return new WindowSpan(pooledSpan(kernels, firstRow, position, count), kernels.upload(kept), window);
        }

        PooledSpan pooledSpan(Kernels kernels, int firstRow, int position, int count) {
            List<Floats> pages = new ArrayList<>();
            int complete = ratio == 0 ? 0 : (position + count) / ratio;
            for (int j = 0; j < complete; j += PAGE_ROWS) {
                float[] page = new float[PAGE_ROWS * dim];
                System.arraycopy(pooled, j * dim, page, 0, Math.min(PAGE_ROWS, complete - j) * dim);
                pages.add(kernels.upload(page));
            }
            return new PooledSpan(firstRow, count, position, pages, ratio);
        }

        private float[] part(float[] x, int position, int count, int width) {
            return Arrays.copyOfRange(x, position * width, (position + count) * width);
        }

        int @Nullable [][] chosen(int position, int count) {
            return chosen == null ? null : Arrays.copyOfRange(chosen, position, position + count);
        }

        /// Outputs [length, heads, dim], the tokens taken in chunks.
        float[] attend(Kernels kernels, int... chunks) {
            float[] all = new float[length * row()];
            int position = 0;
            for (int i = 0; position < length; i++) {
                int count = Math.min(chunks[i % chunks.length], length - position);
                Floats out = kernels.allocate(count * row());
                kernels.attend(
                        kernels.upload(part(q, position, count, row())),
                        kernels.upload(part(keys, position, count, dim)),
                        heads,
                        dim,
                        List.of(span(kernels, 0, position, count)),
                        chosen(position, count),
                        kernels.upload(sink),
                        1 / Math.sqrt(dim),
                        out);
                System.arraycopy(HostMemory.floats(out), 0, all, position * row(), count * row());
                position += count;
            }
            return all;
        }
    }

    private Sequence sequence(int length, int heads, int dim, int window, int ratio, boolean choosing) {
        int pooledRows = ratio == 0 ? 0 : length / ratio;
        int[][] chosen = new int[length][];
        Arrays.setAll(chosen, p -> some(ratio == 0 ? 0 : (p + 1) / ratio));
        return new Sequence(
                length,
                heads,
                dim,
                window,
                ratio,
                Matrices.floats(random, length * heads * dim),
                Matrices.floats(random, length * dim),
                Matrices.floats(random, pooledRows * dim),
                Matrices.floats(random, heads),
                choosing ? chosen : null);
    }

    /// All of `count` places if there are few, else some.
    private int[] some(int count) {
        return IntStream.range(0, count)
                .filter(_ -> count <= 5 || random.nextBoolean())
                .toArray();
    }

    private static void assertClose(float[] got, float[] expected, double tolerance) {
        assertThat(got).hasSameSizeAs(expected);
        for (int i = 0; i < got.length; i++) {
            assertThat(got[i]).as("element %d, seed %d", i, SEED).isCloseTo(expected[i], within((float) tolerance));
        }
    }

    private static void assertSameBits(float[] got, float[] expected) {
        int different = Arrays.mismatch(got, expected);
        assertThat(different).as("first element that differs, seed %d", SEED).isEqualTo(-1);
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attend_everyTail(Ring ring) {
        for (int heads : new int[] {1, 2, 3, 4, 8, 9, 16, 17, 32, 40, 64}) {
            int dim = new int[] {2, 8, 16, 24, 40, 64, 128}[random.nextInt(7)];
            int window = 1 + random.nextInt(40);
            int ratio = new int[] {0, 1, 4, 7}[random.nextInt(4)];
            for (int length : new int[] {1, 2, 31, 33, 70}) {
                Sequence sequence = sequence(length, heads, dim, window, ratio, random.nextBoolean());
                assertClose(
                        sequence.attend(ring.three(), length), sequence.attend(REFERENCE, length), ring.tolerance());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attend_theSameBitsInAnyChunks(Ring ring) {
        for (int heads : new int[] {1, 3, 4, 8, 16, 24, 64}) {
            for (boolean choosing : new boolean[] {false, true}) {
                Sequence sequence = sequence(150, heads, 40, 37, 4, choosing);
                float[] whole = sequence.attend(ring.three(), 150);
                assertSameBits(sequence.attend(ring.one(), 1), whole);
                assertSameBits(sequence.attend(ring.three(), 7, 1, 40, 3), whole);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attend_theSameBitsInAnyCompany(Ring ring) {
        Sequence[] sequences = {
            sequence(70, 4, 64, 20, 4, true), sequence(1, 4, 64, 20, 4, true), sequence(33, 4, 64, 20, 4, true)
        };
        List<WindowSpan> spans = new ArrayList<>();
        float[] q = new float[104 * 256];
        float[] keys = new float[104 * 64];
        int[][] chosen = new int[104][];
        int rows = 0;
        for (Sequence sequence : sequences) {
            System.arraycopy(sequence.q, 0, q, rows * 256, sequence.q.length);
            System.arraycopy(sequence.keys, 0, keys, rows * 64, sequence.keys.length);
            System.arraycopy(sequence.chosen(0, sequence.length), 0, chosen, rows, sequence.length);
            spans.add(sequence.span(ring.three(), rows, 0, sequence.length));
            rows += sequence.length;
        }
        Floats out = ring.three().allocate(q.length);
        // one sink for all of them
        Floats sink = ring.three().upload(sequences[0].sink);
        ring.three()
                .attend(
                        ring.three().upload(q),
                        ring.three().upload(keys),
                        4,
                        64,
                        spans,
                        chosen,
                        sink,
                        1 / Math.sqrt(64),
                        out);
        for (int s = 0; s < sequences.length; s++) {
            System.arraycopy(sequences[0].sink, 0, sequences[s].sink, 0, 4);
            int from = spans.get(s).pooled().firstRow() * 256;
            assertSameBits(
                    Arrays.copyOfRange(HostMemory.floats(out), from, from + sequences[s].length * 256),
                    sequences[s].attend(ring.one(), sequences[s].length));
        }
    }

    /// What a later position holds must not reach an earlier query, nor one whose window has left it, not
    /// even as 0 times NaN.
    @ParameterizedTest
    @MethodSource("rings")
    void attend_aQuerySeesItsWindowAlone(Ring ring) {
        Sequence sequence = sequence(50, 4, 64, 10, 0, false);
        float[] whole = sequence.attend(ring.three(), 50);
        Arrays.fill(sequence.keys, 20 * 64, 21 * 64, Float.NaN);
        float[] poisoned = sequence.attend(ring.three(), 50);
        int row = sequence.row();
        assertSameBits(Arrays.copyOf(poisoned, 20 * row), Arrays.copyOf(whole, 20 * row));
        assertThat(poisoned[20 * row]).isNaN();
        assertThat(poisoned[29 * row]).isNaN();
        assertSameBits(Arrays.copyOfRange(poisoned, 30 * row, 50 * row), Arrays.copyOfRange(whole, 30 * row, 50 * row));
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attend_hugeScoresDoNotOverflow(Ring ring) {
        Sequence sequence = sequence(40, 2, 32, 40, 4, false);
        for (int i = 0; i < sequence.q.length; i++) {
            // of few bits, so that every ring multiplies the same
            sequence.q[i] = 8192 * Math.round(4 * sequence.q[i]);
            sequence.keys[i % sequence.keys.length] = Math.round(4 * sequence.keys[i % sequence.keys.length]);
        }
        assertClose(sequence.attend(ring.one(), 40), sequence.attend(REFERENCE, 40), 10 * ring.tolerance());
    }
}
