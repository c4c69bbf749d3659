package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The indexer's choice: every ring against the reference over sizes that hit every tail, and against
/// itself in other company.
class IndexerTest {
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

    /// A sequence of queries and the keys pooled from every `ratio` of its tokens.
    ///
    /// @param q [length, heads, dim]
    /// @param weights [length, heads]
    /// @param keys [length / ratio, dim]
    private record Sequence(int length, int heads, int dim, int ratio, float[] q, float[] weights, float[] keys) {

        PooledSpan span(Kernels kernels, int firstRow, int position, int count, int pageRows) {
            List<Floats> pages = new ArrayList<>();
            int complete = (position + count) / ratio;
            for (int j = 0; j < complete; j += pageRows) {
                float[] page = new float[pageRows * dim];
                System.arraycopy(keys, j * dim, page, 0, Math.min(pageRows, complete - j) * dim);
                pages.add(kernels.upload(page));
            }
            return new PooledSpan(firstRow, count, position, pages, ratio);
        }

        /// What `count` rows from a position on choose.
        int[][] choose(Kernels kernels, int position, int count, int pageRows, int topK) {
            return kernels.indexTopK(
                    kernels.upload(Arrays.copyOfRange(q, position * heads * dim, (position + count) * heads * dim)),
                    kernels.upload(Arrays.copyOfRange(weights, position * heads, (position + count) * heads)),
                    heads,
                    dim,
                    List.of(span(kernels, 0, position, count, pageRows)),
                    topK);
        }

        double score(int row, int key) {
            double score = 0;
            for (int h = 0; h < heads; h++) {
                double product = 0;
                for (int c = 0; c < dim; c++) {
                    product += (double) q[(row * heads + h) * dim + c] * keys[key * dim + c];
                }
                score += weights[row * heads + h] * Math.max(0, product);
            }
            return score;
        }
    }

    private Sequence sequence(int length, int heads, int dim, int ratio) {
        return new Sequence(
                length,
                heads,
                dim,
                ratio,
                Matrices.floats(random, length * heads * dim),
                Matrices.floats(random, length * heads),
                Matrices.floats(random, length / ratio * dim));
    }

    /// Numbers of few bits, whose products and sums are exact on every ring: scores that are equal are
    /// equal everywhere.
    private Sequence coarse(int length, int heads, int dim, int ratio) {
        Sequence sequence = sequence(length, heads, dim, ratio);
        for (float[] values : List.of(sequence.q, sequence.weights, sequence.keys)) {
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.round(2 * values[i]) / 2f;
            }
        }
        return sequence;
    }

    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_choosesWhatTheReferenceChooses(Ring ring) {
        for (int heads : new int[] {1, 3, 8, 15, 16, 17, 33, 64}) {
            for (int dim : new int[] {1, 16, 31, 33, 128}) {
                Sequence sequence = coarse(1 + random.nextInt(90), heads, dim, 1);
                int[][] expected = sequence.choose(REFERENCE, 0, sequence.length, PAGE_ROWS, 6);
                assertThat(sequence.choose(ring.three(), 0, sequence.length, PAGE_ROWS, 6))
                        .as("%d heads of %d, seed %d", heads, dim, SEED)
                        .isDeepEqualTo(expected);
            }
        }
    }

    /// A key that is left out of a choice among numbers of full precision is not larger than one in it by
    /// more than rounding.
    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_choosesTheLargest(Ring ring) {
        Sequence sequence = sequence(600, 5, 64, 2);
        int[][] chosen = sequence.choose(ring.three(), 0, 600, PAGE_ROWS, 40);
        for (int row = 90; row < 600; row += 17) {
            int at = row;
            double[] scores = IntStream.range(0, (row + 1) / 2)
                    .mapToDouble(key -> sequence.score(at, key))
                    .toArray();
            double least = Arrays.stream(chosen[row])
                    .mapToDouble(key -> scores[key])
                    .min()
                    .orElseThrow();
            assertThat(chosen[row]).hasSize(40).doesNotHaveDuplicates();
            for (int key = 0; key < scores.length; key++) {
                if (Arrays.binarySearch(chosen[at], key) < 0) {
                    // eight terms of order one a head, weighed and added
                    assertThat(scores[key]).as("row %d, seed %d", row, SEED).isLessThan(least + 40 * ring.tolerance());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_aloneWhatInCompany(Ring ring) {
        for (int heads : new int[] {1, 3, 16, 20, 64}) {
            Sequence sequence = sequence(200, heads, 40, 1);
            int[][] whole = sequence.choose(ring.three(), 0, 200, PAGE_ROWS, 50);
            for (int p = 0; p < 200; p++) {
                assertThat(sequence.choose(ring.one(), p, 1, PAGE_ROWS, 50)[0])
                        .as("%d heads, row %d, seed %d", heads, p, SEED)
                        .containsExactly(whole[p]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_pagesOfAnySize(Ring ring) {
        Sequence sequence = sequence(150, 4, 24, 1);
        int[][] expected = sequence.choose(ring.one(), 0, 150, PAGE_ROWS, 9);
        for (int pageRows : new int[] {1, 7, 15, 32, 48, 150}) {
            assertThat(sequence.choose(ring.three(), 0, 150, pageRows, 9))
                    .as("pages of %d rows", pageRows)
                    .isDeepEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_severalSequences(Ring ring) {
        Sequence[] sequences = {sequence(90, 6, 32, 4), sequence(3, 6, 32, 4), sequence(70, 6, 32, 4)};
        float[] q = new float[163 * 6 * 32];
        float[] weights = new float[163 * 6];
        List<PooledSpan> spans = new ArrayList<>();
        int row = 0;
        for (Sequence each : sequences) {
            System.arraycopy(each.q, 0, q, row * 6 * 32, each.q.length);
            System.arraycopy(each.weights, 0, weights, row * 6, each.weights.length);
            spans.add(each.span(ring.three(), row, 0, each.length, PAGE_ROWS));
            row += each.length;
        }
        Kernels kernels = ring.three();
        int[][] chosen = kernels.indexTopK(kernels.upload(q), kernels.upload(weights), 6, 32, spans, 7);
        row = 0;
        for (Sequence each : sequences) {
            assertThat(Arrays.copyOfRange(chosen, row, row + each.length))
                    .isDeepEqualTo(each.choose(ring.one(), 0, each.length, PAGE_ROWS, 7));
            row += each.length;
        }
    }

    /// Scores that are no numbers come first, as in the reference; infinite ones are the largest or the
    /// least.
    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_whatIsNotFinite(Ring ring) {
        Sequence sequence = coarse(80, 3, 16, 1);
        sequence.keys[20 * 16 + 3] = Float.NaN;
        sequence.keys[30 * 16 + 4] = Float.POSITIVE_INFINITY;
        sequence.keys[40 * 16 + 5] = Float.NEGATIVE_INFINITY;
        sequence.q[70 * 3 * 16] = Float.NaN;
        sequence.q[71 * 3 * 16] = Float.POSITIVE_INFINITY;
        sequence.weights[72 * 3] = Float.NaN;
        sequence.weights[73 * 3 + 1] = Float.NEGATIVE_INFINITY;
        assertThat(sequence.choose(ring.three(), 0, 80, PAGE_ROWS, 6))
                .isDeepEqualTo(sequence.choose(REFERENCE, 0, 80, PAGE_ROWS, 6));
    }
}
