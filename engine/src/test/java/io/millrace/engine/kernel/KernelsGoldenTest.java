package io.millrace.engine.kernel;

import static io.millrace.engine.MicroVectors.at;
import static io.millrace.engine.MicroVectors.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.tensor.Floats;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every operation on every ring against values computed in float64 from the paper's formulas. Tolerance:
/// inputs and outputs are floats, sums have fewer than 40 terms.
class KernelsGoldenTest {
    private static final float TOLERANCE = 2e-6f;

    static Stream<Kernels> rings() {
        return Stream.of(new ReferenceKernels(), new VectorKernels(1, "test"), new VectorKernels(3, "test"));
    }

    private static void assertClose(Floats got, float[] expected) {
        float[] values = HostMemory.floats(got);
        for (int i = 0; i < expected.length; i++) {
            assertThat(values[i])
                    .as("element %d", i)
                    .isCloseTo(expected[i], within(TOLERANCE * (1 + Math.abs(expected[i]))));
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void hyperConnections_mixCollapseExpand(Kernels kernels) {
        float[] streams = floats("mhc", "streams_4x8");
        // fn that yields the recorded mixes: the recorded row is applied to a unit input through the base
        // alone
        float[] mixes = floats("mhc", "mixes");
        float[] base = floats("mhc", "base");
        float[] scale = floats("mhc", "scale");
        for (int i = 0; i < base.length; i++) {
            base[i] += mixes[i] * scale[i < 4 ? 0 : i < 8 ? 1 : 2];
        }
        HyperSite site = new HyperSite(
                4,
                Matrices.f32(24, 32, new float[24 * 32]),
                kernels.upload(base),
                kernels.upload(scale),
                20,
                1e-6,
                1e-6);
        Floats collapsed = kernels.allocate(8);
        Floats post = kernels.allocate(4);
        Floats combine = kernels.allocate(16);
        Floats state = kernels.upload(streams);
        kernels.hyperMix(state, 1, 8, site, collapsed, post, combine);
        assertClose(collapsed, floats("mhc", "collapsed"));
        assertClose(post, floats("mhc", "post"));
        assertClose(combine, floats("mhc", "comb_row_source_col_dest"));
        kernels.hyperExpand(kernels.upload(floats("mhc", "sublayer_output")), post, combine, 1, 4, 8, state);
        assertClose(state, floats("mhc", "streams_after_4x8"));
    }

    @ParameterizedTest
    @MethodSource("rings")
    void hyperMix_mixesAreScaledByTheRootMeanSquareOfAllStreams(Kernels kernels) {
        float[] expected = floats("mhc", "mixes_from_streams");
        // scale 0 for all but one kind of mix lets each kind be read back from post = 2 sigmoid(m)
        HyperSite site = new HyperSite(
                4,
                Matrices.f32(24, 32, floats("mhc", "fn_24x32")),
                kernels.allocate(24),
                kernels.upload(new float[] {0, 1, 0}),
                1,
                1e-6,
                1e-6);
        Floats post = kernels.allocate(4);
        kernels.hyperMix(
                kernels.upload(floats("mhc", "streams_4x8")),
                1,
                8,
                site,
                kernels.allocate(8),
                post,
                kernels.allocate(16));
        float[] wanted = new float[4];
        for (int k = 0; k < 4; k++) {
            wanted[k] = (float) (2 / (1 + Math.exp(-expected[4 + k])));
        }
        assertClose(post, wanted);
    }

    @ParameterizedTest
    @MethodSource("rings")
    void route_picksByBiasedWeighsByUnbiased(Kernels kernels) {
        Floats logits = kernels.upload(floats("router", "logits"));
        Routing routing = kernels.route(logits, 1, 16, kernels.upload(floats("router", "bias")), 6, 1.5);
        int[] ids = ints("router", "topk");
        float[] weights = floats("router", "weights_scale1.5");
        for (int slot = 0; slot < 6; slot++) {
            int at = indexOf(ids, routing.experts()[slot]);
            assertThat(at).as("expert %d", routing.experts()[slot]).isNotNegative();
            assertThat(routing.weights()[slot]).isCloseTo(weights[at], within(TOLERANCE));
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void weigh_hashedExperts(Kernels kernels) {
        Routing routing =
                kernels.weigh(kernels.upload(floats("router", "logits")), 1, 16, ints("router", "hash_row"), 6, 1.5);
        assertClose(
                new io.millrace.engine.tensor.HostFloats(routing.weights()), floats("router", "hash_weights_scale1.5"));
    }

    @ParameterizedTest
    @MethodSource("rings")
    void experts_clampGateAboveAndUpBothWays(Kernels kernels) {
        float[] gate = floats("swiglu_clamp10", "gate");
        float[] up = floats("swiglu_clamp10", "up");
        double weight = at("swiglu_clamp10").get("weight").asDouble();
        int inner = gate.length;
        // a model of size one: x = 1, so gate and up are the matrices themselves; down = identity rows
        float[] identity = new float[inner * inner];
        for (int i = 0; i < inner; i++) {
            identity[i * inner + i] = 1;
        }
        var expert = new io.millrace.engine.tensor.Swiglu(
                Matrices.f32(inner, inner, diagonal(gate)),
                Matrices.f32(inner, inner, diagonal(up)),
                Matrices.f32(inner, inner, identity));
        float[] ones = new float[inner];
        Arrays.fill(ones, 1);
        Floats out = kernels.allocate(inner);
        Routing routing = Routing.of(new int[] {0}, new float[] {(float) weight}, 1);
        kernels.experts(kernels.upload(ones), 1, inner, routing, e -> expert, 10, out);
        assertClose(out, floats("swiglu_clamp10", "out"));
    }

    private static float[] diagonal(float[] values) {
        float[] matrix = new float[values.length * values.length];
        for (int i = 0; i < values.length; i++) {
            matrix[i * values.length + i] = values[i];
        }
        return matrix;
    }

    @ParameterizedTest
    @MethodSource("rings")
    void attend_withSink(Kernels kernels) {
        float[] kv = floats("attention_sink", "kv_5x8");
        PooledSpan last = new PooledSpan(0, 1, 4, List.of(), 0);
        Floats out = kernels.allocate(16);
        kernels.attend(
                kernels.upload(floats("attention_sink", "q_2x8")),
                kernels.upload(Arrays.copyOfRange(kv, 32, 40)),
                2,
                8,
                List.of(new WindowSpan(last, kernels.upload(kv), 5)),
                null,
                kernels.upload(floats("attention_sink", "sink")),
                at("attention_sink").get("scale").asDouble(),
                out);
        assertClose(out, floats("attention_sink", "out_2x8"));
    }

    @ParameterizedTest
    @MethodSource("rings")
    void pool_overlappingWindows(Kernels kernels) {
        assertPooled(
                kernels,
                new Pooling(4, 4, true),
                12,
                floats("csa_pool", "kv_12x8"),
                floats("csa_pool", "gate_12x8"),
                floats("csa_pool", "ape_4x8"),
                floats("csa_pool", "pooled_3x4"));
    }

    @ParameterizedTest
    @MethodSource("rings")
    void pool_disjointWindows(Kernels kernels) {
        assertPooled(
                kernels,
                new Pooling(3, 3, false),
                6,
                floats("hca_pool_ratio3", "kv_6x3"),
                floats("hca_pool_ratio3", "gate_6x3"),
                floats("hca_pool_ratio3", "ape_3x3"),
                floats("hca_pool_ratio3", "pooled_2x3"));
    }

    /// All cuts of the tokens into two spans give the same rows.
    private static void assertPooled(
            Kernels kernels, Pooling shape, int tokens, float[] values, float[] scores, float[] ape, float[] expected) {
        for (int cut = 0; cut <= tokens; cut++) {
            int state = shape.stateRows() * shape.width();
            float[] unseen = new float[state];
            Arrays.fill(unseen, Float.NEGATIVE_INFINITY);
            Floats stateValues = kernels.allocate(state);
            Floats stateScores = kernels.upload(unseen);
            Floats out = kernels.allocate(expected.length);
            for (PoolSpan span : List.of(
                    new PoolSpan(0, cut, 0, stateValues, stateScores, 0),
                    new PoolSpan(cut, tokens - cut, cut, stateValues, stateScores, cut / shape.ratio()))) {
                kernels.pool(
                        kernels.upload(values), kernels.upload(scores), kernels.upload(ape), shape, List.of(span), out);
            }
            assertClose(out, expected);
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void indexTopK_largestScores(Kernels kernels) {
        float[] scores = floats("indexer", "score");
        Floats index = kernels.upload(floats("indexer", "k_7x4"));
        List<PooledSpan> spans = List.of(new PooledSpan(0, 1, 6, List.of(index), 1));
        for (int k = 1; k <= 7; k++) {
            int[][] chosen = kernels.indexTopK(
                    kernels.upload(floats("indexer", "q_3x4")),
                    kernels.upload(floats("indexer", "head_weight_raw")),
                    3,
                    4,
                    spans,
                    k);
            assertThat(chosen[0]).containsExactly(TopK.places(scores, 7, k));
        }
    }

    @ParameterizedTest
    @MethodSource("rings")
    void groupedMatmul_groupsAreContiguous(Kernels kernels) {
        Floats z = kernels.allocate(10);
        kernels.groupedMatmul(
                kernels.upload(floats("grouped_output", "heads_4x6")),
                1,
                Matrices.f32(10, 12, floats("grouped_output", "wo_a_10x12")),
                2,
                z);
        assertClose(z, floats("grouped_output", "z_10"));
        Floats y = kernels.allocate(7);
        kernels.matmul(z, 1, Matrices.f32(7, 10, floats("grouped_output", "wo_b_7x10")), y);
        assertClose(y, floats("grouped_output", "y_7"));
    }

    private static int[] ints(String operation, String field) {
        int[] values = new int[at(operation).get(field).size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = at(operation).get(field).get(i).asInt();
        }
        return values;
    }

    private static int indexOf(int[] values, int value) {
        for (int i = 0; i < values.length; i++) {
            if (values[i] == value) {
                return i;
            }
        }
        return -1;
    }
}
