package io.millrace.engine.device;

import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.kernel.Kernels.Rotation;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.kernel.Kernels.SoftmaxOver;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What any kernels must compute, operation by operation, against the reference ring in double
/// precision: the same inputs to both, from a fixed seed, at sizes that leave tails. A device that
/// keeps it computes the model.
public final class KernelContract {
    private static final long SEED = 20261122;

    /// One operation at one shape.
    ///
    /// @param largestError of any element, relative to one plus its magnitude; infinite if it could not be
    ///     had
    /// @param tolerance of this operation
    /// @param micros that the first and the second call took, reading the result included; a device
    ///     loads its programs in the first
    /// @param failure what was thrown, or null
    @SuppressWarnings("ArrayRecordComponent") // written to a report and dropped
    public record Check(
            String operation,
            String shape,
            double largestError,
            double tolerance,
            long[] micros,
            @Nullable String failure) {
        public boolean passed() {
            return largestError <= tolerance;
        }
    }

    /// How far results may be off.
    ///
    /// @param single operations without weights, and sums of up to some hundred terms
    /// @param full products with weights that are stored in FP32
    /// @param product products with all others
    public record Tolerance(double single, double full, double product) {
        /// FP32 throughout.
        public static final Tolerance FP32 = new Tolerance(2e-5, 5e-5, 5e-5);
        /// Operands of products with eight bits' precision.
        public static final Tolerance BF16 = new Tolerance(2e-5, 5e-5, 3e-2);
        /// Operands of products with seven bits, scaled by the largest of a row.
        public static final Tolerance INT8 = new Tolerance(2e-5, 5e-5, 8e-2);
        /// The compiled kernels, whose levels round operands to eight or seven bits, in attention too.
        public static final Tolerance COMPILED = new Tolerance(3e-2, 3e-2, 8e-2);
    }

    private record Case(String operation, String shape, double tolerance, Function<Kernels, float[]> compute) {}

    private final Tolerance tolerance;
    private final List<Case> cases = new ArrayList<>();
    private Random random = new Random(SEED);

    private KernelContract(Tolerance tolerance) {
        this.tolerance = tolerance;
    }

    /// Runs all of it. Nothing thrown by the device ends it: each case is a line of the result.
    public static List<Check> run(Kernels device, Tolerance tolerance) {
        KernelContract contract = new KernelContract(tolerance);
        contract.collect();
        try (Kernels reference = KernelProvider.open("reference", 1)) {
            return contract.cases.stream()
                    .map(each -> check(each, reference, device))
                    .toList();
        }
    }

    private static Check check(Case each, Kernels reference, Kernels device) {
        float[] expected = each.compute().apply(reference);
        long[] micros = new long[2];
        double largest = 0;
        String failure = null;
        for (int call = 0; call < 2 && failure == null; call++) {
            long start = System.nanoTime();
            try {
                largest = Math.max(largest, error(expected, each.compute().apply(device)));
            } catch (RuntimeException e) {
                failure = String.valueOf(e.getMessage());
                largest = Double.POSITIVE_INFINITY;
            }
            micros[call] = (System.nanoTime() - start) / 1000;
        }
        return new Check(each.operation(), each.shape(), largest, each.tolerance(), micros, failure);
    }

    private static double error(float[] expected, float[] got) {
        double largest = expected.length == got.length ? 0 : Double.POSITIVE_INFINITY;
        for (int i = 0; i < Math.min(expected.length, got.length); i++) {
            double difference = Math.abs((double) got[i] - expected[i]) / (1 + Math.abs(expected[i]));
            // a value that is none is as wrong as can be
            largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest, difference);
        }
        return largest;
    }

    private void collect() {
        memory();
        products();
        norms();
        rotations();
        roundings();
        hyperConnections();
        pooling();
        attention();
        causalAttention();
        routing();
        experts();
        rest();
    }

    private void add(String operation, String shape, double limit, Function<Kernels, float[]> compute) {
        cases.add(new Case(operation, shape, limit, compute));
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] read(Kernels kernels, Floats floats, int count) {
        float[] values = new float[count];
        kernels.read(floats, 0, values, 0, count);
        return values;
    }

    /// A matrix of a stored format whose values are of magnitude one over the root of its columns.
    private Matrix matrix(DType dtype, int rows, int cols) {
        byte[] codes = new byte[Math.toIntExact(rows * dtype.bytes(cols))];
        MemorySegment data = MemorySegment.ofArray(codes);
        float scale = (float) (1 / Math.sqrt(cols));
        for (int i = 0; i < rows * cols && (dtype == DType.F32 || dtype == DType.BF16); i++) {
            float value = (float) random.nextGaussian() * scale;
            if (dtype == DType.F32) {
                data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, value);
            } else {
                data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short) (Float.floatToIntBits(value) >>> 16));
            }
        }
        Matrix.Scales scales = null;
        if (dtype == DType.F8_E4M3 || dtype == DType.FP4_E2M1) {
            random.nextBytes(codes);
            for (int i = 0; i < codes.length && dtype == DType.F8_E4M3; i++) {
                // magnitudes up to two: neither NaN nor the largest
                codes[i] &= (byte) 0xBF;
            }
            int blockRows = dtype == DType.F8_E4M3 ? 128 : 1;
            int blockCols = dtype == DType.F8_E4M3 ? 128 : 32;
            byte[] powers = new byte[Math.ceilDiv(rows, blockRows) * Math.ceilDiv(cols, blockCols)];
            for (int i = 0; i < powers.length; i++) {
                powers[i] = (byte) (127 + Math.getExponent(scale) - random.nextInt(2));
            }
            scales = new Matrix.Scales(DType.F8_E8M0, blockRows, blockCols, MemorySegment.ofArray(powers));
        }
        return new Matrix("contract " + dtype, dtype, rows, cols, data, scales);
    }

    private void memory() {
        float[] values = floats(1000);
        add("upload, copy, read", "[1000]", 0, kernels -> {
            Floats copy = kernels.allocate(1000);
            kernels.copy(kernels.upload(values), 3, copy, 17, 900);
            return read(kernels, copy, 1000);
        });
        for (DType dtype : List.of(DType.F32, DType.BF16, DType.F8_E4M3, DType.FP4_E2M1)) {
            Matrix table = matrix(dtype, 37, 96);
            add("embed", dtype + " [37, 96], 5 rows, 4 copies", 0, kernels -> {
                Floats out = kernels.allocate(5 * 4 * 96);
                kernels.embed(table, new int[] {36, 0, 7, 7, 19}, 5, 4, out);
                return read(kernels, out, out.size());
            });
        }
    }

    private void products() {
        for (DType dtype : List.of(DType.F32, DType.BF16, DType.F8_E4M3, DType.FP4_E2M1)) {
            double limit = dtype == DType.F32 ? tolerance.full() : tolerance.product();
            for (int[] s : new int[][] {{1, 1, 32}, {7, 33, 64}, {17, 129, 160}, {64, 24, 512}}) {
                Matrix w = matrix(dtype, s[1], s[2]);
                float[] x = floats(s[0] * s[2]);
                add(
                        "matmul",
                        dtype + " [" + s[0] + ", " + s[2] + "] by [" + s[1] + ", " + s[2] + "]",
                        limit,
                        kernels -> {
                            Floats y = kernels.allocate(s[0] * s[1]);
                            kernels.matmul(kernels.upload(x), s[0], w, y);
                            return read(kernels, y, y.size());
                        });
            }
            Matrix w = matrix(dtype, 4 * 24, 64);
            float[] x = floats(5 * 4 * 64);
            add("groupedMatmul", dtype + " [5, 4, 64] by [4, 24, 64]", limit, kernels -> {
                Floats y = kernels.allocate(5 * 4 * 24);
                kernels.groupedMatmul(kernels.upload(x), 5, w, 4, y);
                return read(kernels, y, y.size());
            });
        }
        Matrix w = matrix(DType.F32, 40, 96);
        float[] x = floats(9 * 96);
        add("matmul of a row alone and in company", "[9, 96] by [40, 96]", 0, kernels -> {
            Floats together = kernels.allocate(9 * 40);
            kernels.matmul(kernels.upload(x), 9, w, together);
            Floats alone = kernels.allocate(40);
            kernels.matmul(kernels.upload(Arrays.copyOfRange(x, 5 * 96, 6 * 96)), 1, w, alone);
            return differences(read(kernels, alone, 40), read(kernels, together, 9 * 40), 5 * 40);
        });
    }

    /// Zero where two results have the same bits: what every ring and device must come to.
    private static float[] differences(float[] alone, float[] together, int at) {
        float[] differences = new float[alone.length];
        for (int i = 0; i < alone.length; i++) {
            differences[i] = alone[i] - together[at + i];
        }
        return differences;
    }

    private void norms() {
        for (int dim : new int[] {7, 64, 513}) {
            float[] x = floats(6 * dim);
            float[] weight = floats(dim);
            add("rmsNorm", "[6, " + dim + "]", tolerance.single(), kernels -> {
                Floats y = kernels.allocate(6 * dim);
                kernels.rmsNorm(kernels.upload(x), 6, dim, kernels.upload(weight), 1e-6, y);
                return read(kernels, y, 6 * dim);
            });
            add("rmsNorm in place, without weight", "[6, " + dim + "]", tolerance.single(), kernels -> {
                Floats y = kernels.upload(x);
                kernels.rmsNorm(y, 6, dim, null, 1e-6, y);
                return read(kernels, y, 6 * dim);
            });
        }
    }

    private float[] angles(int rows, int pairs) {
        float[] angles = new float[rows * pairs * 2];
        for (int i = 0; i < rows * pairs; i++) {
            double angle = random.nextDouble() * 10;
            angles[2 * i] = (float) Math.cos(angle);
            angles[2 * i + 1] = (float) Math.sin(angle);
        }
        return angles;
    }

    private void rotations() {
        float[] x = floats(5 * 3 * 24);
        float[] partial = angles(5, 4);
        for (Rotation rotation : Rotation.values()) {
            add(
                    "rotate " + rotation.name().toLowerCase(Locale.ROOT),
                    "[5, 3, 24], the last 8",
                    tolerance.single(),
                    kernels -> {
                        Floats y = kernels.upload(x);
                        kernels.rotate(y, 5, 3, 24, kernels.upload(partial), 4, rotation);
                        return read(kernels, y, x.length);
                    });
        }
        float[] whole = angles(5, 12);
        add("rotateHalves", "[5, 3, 24]", tolerance.single(), kernels -> {
            Floats y = kernels.upload(x);
            kernels.rotateHalves(y, 5, 3, 24, kernels.upload(whole));
            return read(kernels, y, x.length);
        });
    }

    private void roundings() {
        float[] x = floats(9 * 160);
        for (int i = 0; i < x.length; i += 7) {
            // small beside their block, so that subnormal codes are met
            x[i] *= 1e-3f;
        }
        Arrays.fill(x, 160, 320, 0);
        for (int[] s : new int[][] {{128, 64}, {24, 64}, {100, 64}}) {
            add("roundFp8", "[9, 160], the first " + s[0] + " in blocks of " + s[1], 0, kernels -> {
                Floats y = kernels.upload(x);
                kernels.roundFp8(y, 9, 160, s[0], s[1]);
                return read(kernels, y, x.length);
            });
        }
        // integers, whose transform is exact in any order of additions
        float[] whole = new float[6 * 64];
        for (int i = 0; i < whole.length; i++) {
            whole[i] = random.nextInt(33) - 16;
        }
        add("hadamardRoundFp4", "[6, 64]", 0, kernels -> {
            Floats y = kernels.upload(whole);
            kernels.hadamardRoundFp4(y, 6, 64, 32);
            return read(kernels, y, whole.length);
        });
    }

    private void hyperConnections() {
        for (int[] s : new int[][] {{1, 4, 32, 20}, {5, 4, 128, 20}, {3, 2, 24, 3}}) {
            int rows = s[0];
            int n = s[1];
            int dim = s[2];
            String shape = "[" + rows + ", " + n + ", " + dim + "], " + s[3] + " iterations";
            // fused operators of some devices keep the streams in 16 bits
            double limit =
                    n == 4 && dim % 128 == 0 ? Math.max(tolerance.single(), tolerance.product()) : tolerance.single();
            Matrix fn = matrix(DType.F32, (2 + n) * n, n * dim);
            float[] base = floats((2 + n) * n);
            float[] streams = floats(rows * n * dim);
            float[] y = floats(rows * dim);
            add("hyperMix, hyperExpand", shape, limit, kernels -> {
                HyperSite site = new HyperSite(
                        n, fn, kernels.upload(base), kernels.upload(new float[] {1, 0.5f, 2}), s[3], 1e-6, 1e-6);
                Floats state = kernels.upload(streams);
                Floats collapsed = kernels.allocate(rows * dim);
                Floats post = kernels.allocate(rows * n);
                Floats combine = kernels.allocate(rows * n * n);
                kernels.hyperMix(state, rows, dim, site, collapsed, post, combine);
                kernels.hyperExpand(kernels.upload(y), post, combine, rows, n, dim, state);
                return joined(kernels, collapsed, post, combine, state);
            });
            Matrix head = matrix(DType.F32, n, n * dim);
            add("hyperCollapse", shape, limit, kernels -> {
                HyperSite site = new HyperSite(
                        n,
                        head,
                        kernels.upload(Arrays.copyOf(base, n)),
                        kernels.upload(new float[] {1}),
                        0,
                        1e-6,
                        1e-6);
                Floats collapsed = kernels.allocate(rows * dim);
                kernels.hyperCollapse(kernels.upload(streams), rows, dim, site, collapsed);
                return read(kernels, collapsed, rows * dim);
            });
        }
    }

    private static float[] joined(Kernels kernels, Floats... all) {
        float[] joined = new float[Arrays.stream(all).mapToInt(Floats::size).sum()];
        int at = 0;
        for (Floats one : all) {
            kernels.read(one, 0, joined, at, one.size());
            at += one.size();
        }
        return joined;
    }

    private void pooling() {
        for (Pooling shape : List.of(new Pooling(4, 16, true), new Pooling(3, 8, false))) {
            int tokens = 2 * 11;
            int width = shape.width();
            float[] values = floats(tokens * width);
            float[] scores = floats(tokens * width);
            float[] ape = floats(shape.ratio() * width);
            add("pool", shape + ", two sequences in three steps", tolerance.single(), kernels -> {
                Floats[] states = new Floats[4];
                float[] unseen = new float[shape.stateRows() * width];
                Arrays.fill(unseen, Float.NEGATIVE_INFINITY);
                for (int i = 0; i < 4; i++) {
                    states[i] = i % 2 == 0 ? kernels.allocate(unseen.length) : kernels.upload(unseen);
                }
                Floats out = kernels.allocate(8 * shape.dim());
                int[] entries = {0, 4};
                for (int[] cut : new int[][] {{0, 2}, {2, 9}, {9, 11}}) {
                    List<PoolSpan> spans = new ArrayList<>();
                    for (int q = 0; q < 2; q++) {
                        spans.add(new PoolSpan(
                                q * 11 + cut[0],
                                cut[1] - cut[0],
                                cut[0],
                                states[2 * q],
                                states[2 * q + 1],
                                entries[q]));
                        entries[q] += cut[1] / shape.ratio() - cut[0] / shape.ratio();
                    }
                    kernels.pool(
                            kernels.upload(values), kernels.upload(scores), kernels.upload(ape), shape, spans, out);
                }
                return read(kernels, out, 8 * shape.dim());
            });
        }
    }

    /// Two sequences: one far into its text, one at its beginning.
    private List<PooledSpan> pooledSpans(Kernels kernels, float[] pages, int dim) {
        List<Floats> all = new ArrayList<>();
        for (int at = 0; at < pages.length; at += 16 * dim) {
            all.add(kernels.upload(Arrays.copyOfRange(pages, at, at + 16 * dim)));
        }
        return List.of(new PooledSpan(0, 3, 77, all, 4), new PooledSpan(3, 4, 0, all.subList(0, 1), 4));
    }

    private void attention() {
        int heads = 3;
        int dim = 16;
        int window = 8;
        float[] pages = floats(2 * 16 * dim);
        float[] q = floats(7 * heads * dim);
        float[] weights = floats(7 * heads);
        float[] keyValue = floats(7 * dim);
        float[] before = floats(window * dim);
        float[] sink = floats(heads);
        add("indexTopK", "[7, 3, 16], 5 of up to 20", 0, kernels -> {
            List<PooledSpan> spans = pooledSpans(kernels, coarse(pages), dim);
            int[][] chosen =
                    kernels.indexTopK(kernels.upload(coarse(q)), kernels.upload(weights), heads, dim, spans, 5);
            return flattened(chosen);
        });
        add("indexTopK of equal scores", "[7, 3, 16], 5 of up to 20", 0, kernels -> {
            List<PooledSpan> spans = pooledSpans(kernels, coarse(pages), dim);
            int[][] chosen = kernels.indexTopK(kernels.upload(q), kernels.allocate(21), heads, dim, spans, 5);
            return flattened(chosen);
        });
        for (boolean sparse : new boolean[] {false, true}) {
            int[][] chosen = {{0, 4, 18}, {1, 2}, {0, 19}, {}, {}, {}, {0}};
            add("attend", sparse ? "[7, 3, 16], chosen rows" : "[7, 3, 16], all rows", tolerance.single(), kernels -> {
                Floats ring = kernels.upload(before);
                List<WindowSpan> spans = pooledSpans(kernels, pages, dim).stream()
                        .map(span -> new WindowSpan(span, ring, window))
                        .toList();
                Floats out = kernels.allocate(7 * heads * dim);
                kernels.attend(
                        kernels.upload(q),
                        kernels.upload(keyValue),
                        heads,
                        dim,
                        spans,
                        sparse ? chosen : null,
                        kernels.upload(sink),
                        0.25,
                        out);
                return read(kernels, out, out.size());
            });
        }
    }

    /// Numbers of so few bits that rounded operands are the same ones: the choice has one answer.
    private static float[] coarse(float[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = Math.round(8 * values[i]) / 8f;
        }
        return rounded;
    }

    private static float[] flattened(int[][] chosen) {
        List<Float> all = new ArrayList<>();
        for (int[] row : chosen) {
            for (int place : row) {
                all.add((float) place);
            }
            all.add(-1f);
        }
        float[] flat = new float[all.size()];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = all.get(i);
        }
        return flat;
    }

    private void causalAttention() {
        KeyValueShape shape = new KeyValueShape(2, 8);
        int heads = 6;
        int total = 41;
        float[] keys = floats(total * 16);
        float[] values = floats(total * 16);
        float[] q = floats(total * heads * 8);
        add(
                "keep, attendCausal",
                "41 positions in steps of 20, 1 and 20, 6 heads on 2",
                tolerance.single(),
                kernels -> {
                    List<Floats> pages =
                            List.of(kernels.allocate(shape.pageFloats()), kernels.allocate(shape.pageFloats()));
                    float[] all = new float[total * heads * 8];
                    for (int[] cut : new int[][] {{0, 20}, {20, 21}, {21, 41}}) {
                        int rows = cut[1] - cut[0];
                        List<CausalSpan> spans = List.of(new CausalSpan(0, rows, cut[0], pages));
                        kernels.keep(part(kernels, keys, cut, 16), part(kernels, values, cut, 16), shape, spans);
                        Floats out = kernels.allocate(rows * heads * 8);
                        kernels.attendCausal(part(kernels, q, cut, heads * 8), heads, shape, spans, 0.35, out);
                        kernels.read(out, 0, all, cut[0] * heads * 8, out.size());
                    }
                    return all;
                });
    }

    private static Floats part(Kernels kernels, float[] values, int[] cut, int width) {
        return kernels.upload(Arrays.copyOfRange(values, cut[0] * width, cut[1] * width));
    }

    private void routing() {
        int rows = 5;
        int count = 16;
        float[] logits = floats(rows * count);
        float[] bias = floats(count);
        logits[3] = 30;
        add(
                "route",
                "[5, 16], 6 of them",
                tolerance.single(),
                kernels -> byExpert(
                        kernels.route(kernels.upload(logits), rows, count, kernels.upload(bias), 6, 1.5), rows));
        add(
                "route without bias",
                "[5, 16], 6 of them",
                tolerance.single(),
                kernels -> byExpert(kernels.route(kernels.upload(logits), rows, count, null, 6, 1.5), rows));
        add(
                "route of equal scores",
                "[5, 16], 6 of them",
                tolerance.single(),
                kernels -> byExpert(kernels.route(kernels.allocate(rows * count), rows, count, null, 6, 1.5), rows));
        int[] chosen = IntStream.range(0, rows * 3).map(i -> (i * 7) % count).toArray();
        add(
                "weigh",
                "[5, 16], 3 given",
                tolerance.single(),
                kernels -> byExpert(kernels.weigh(kernels.upload(logits), rows, count, chosen, 3, 2.5), rows));
        for (SoftmaxOver over : SoftmaxOver.values()) {
            add(
                    "routeSoftmax over " + over.name().toLowerCase(Locale.ROOT),
                    "[5, 16], 4 of them",
                    tolerance.single(),
                    kernels -> byExpert(kernels.routeSoftmax(kernels.upload(logits), rows, count, 4, over), rows));
        }
    }

    /// Weights by expert, in whatever order a routing names them.
    private static float[] byExpert(Routing routing, int rows) {
        float[] weights = new float[rows * 16];
        int[] experts = routing.experts();
        for (int i = 0; i < rows * routing.topK(); i++) {
            weights[i / routing.topK() * 16 + experts[i]] = routing.weights()[i];
        }
        return weights;
    }

    private void experts() {
        int rows = 11;
        int dim = 64;
        int inner = 32;
        for (DType dtype : List.of(DType.F32, DType.BF16, DType.F8_E4M3, DType.FP4_E2M1)) {
            double limit = dtype == DType.F32 ? tolerance.full() : 3 * tolerance.product();
            List<Swiglu> all = IntStream.range(0, 7)
                    .mapToObj(e ->
                            new Swiglu(matrix(dtype, inner, dim), matrix(dtype, inner, dim), matrix(dtype, dim, inner)))
                    .toList();
            float[] x = floats(rows * dim);
            float[] logits = floats(rows * 7);
            add("route, experts", dtype + " [11, 64], 3 of 7, clamped", limit, kernels -> {
                Routing routing = kernels.route(kernels.upload(logits), rows, 7, null, 3, 1.5);
                Floats y = kernels.allocate(rows * dim);
                kernels.experts(kernels.upload(x), rows, dim, routing, all::get, 0.5, y);
                return read(kernels, y, y.size());
            });
            add("addSwiglu", dtype + " [11, 64]", limit, kernels -> {
                Floats y = kernels.upload(x);
                kernels.addSwiglu(kernels.upload(x), rows, all.getFirst(), 0, y);
                return read(kernels, y, y.size());
            });
        }
    }

    private void rest() {
        float[] x = floats(9 * 40);
        add("gather", "[9, 40], 4 rows", 0, kernels -> {
            Floats out = kernels.allocate(4 * 40);
            kernels.gather(kernels.upload(x), new int[] {8, 0, 3, 3}, 40, out);
            return read(kernels, out, out.size());
        });
        add("add", "[360]", tolerance.single(), kernels -> {
            Floats y = kernels.upload(x);
            kernels.add(kernels.upload(x), 350, y);
            return read(kernels, y, y.size());
        });
        add("logSumExp", "[9, 40]", tolerance.single(), kernels -> {
            double[] sums = kernels.logSumExp(kernels.upload(x), 9, 40);
            float[] narrow = new float[sums.length];
            for (int i = 0; i < sums.length; i++) {
                narrow[i] = (float) sums[i];
            }
            return narrow;
        });
    }
}
