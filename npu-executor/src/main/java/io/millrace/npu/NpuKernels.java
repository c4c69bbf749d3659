package io.millrace.npu;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The kernels of one card. Activations are FP32 on the card and stay there; the host learns the
/// logits, the pooled rows that the indexer chose, and what a routing is asked for from outside.
///
/// Every operation only queues work, but for {@link #read}, {@link #indexTopK} and {@link #logSumExp},
/// which wait; a failure of the card may thus be reported by a later operation than the one that caused
/// it. Several threads may use it, one at a time.
@SuppressWarnings("ReferenceEquality") // whether two names are one memory
final class NpuKernels implements Kernels {
    private static final System.Logger LOG = System.getLogger(NpuKernels.class.getName());
    private static final double SOFTPLUS_LINEAR = 20;
    private static final int ROTARY_MAX_DIM = 1024;

    private final Card card;
    private final Arithmetic arithmetic;
    private final MemoryPool pool;
    private final Launcher launcher;
    private final Transfers transfers;
    private final Residents residents;
    private final CardMath math;
    private final Products products;
    private final HyperMixing hyper;
    private final WindowPooling pooling;
    private final CardAttention attention;

    private NpuKernels(Card card, Libraries libraries, Arithmetic arithmetic) {
        this.card = card;
        this.arithmetic = arithmetic;
        this.pool = new MemoryPool(card);
        this.launcher = new Launcher(card, libraries, pool);
        this.transfers = new Transfers(card);
        this.residents = new Residents(card, pool, arithmetic);
        this.math = new CardMath(card, pool, launcher, transfers, residents);
        this.products = new Products(math);
        this.hyper = new HyperMixing(math, arithmetic);
        this.pooling = new WindowPooling(math);
        this.attention = new CardAttention(math);
    }

    /// @throws EngineException BAD_CONFIGURATION if libraries or functions are missing, DEVICE_FAILED
    ///     if the card cannot be had
    static NpuKernels open(Libraries libraries, int device, Arithmetic arithmetic, Duration patience) {
        Card card = Card.open(Acl.of(libraries), device, patience);
        try {
            return new NpuKernels(card, libraries, arithmetic);
        } catch (RuntimeException e) {
            card.close();
            throw e;
        }
    }

    @Override
    public String description() {
        List<Operator> missing = launcher.missing();
        return "npu " + card.soc() + " " + arithmetic + ", card " + card.id()
                + (missing.isEmpty()
                        ? ""
                        : ", composed for want of "
                                + missing.stream().map(o -> o.symbol).toList());
    }

    Launcher.Counts counts() {
        return launcher.counts();
    }

    @Override
    public Floats allocate(int size) {
        card.use();
        NpuFloats floats = pool.floats(size);
        if (size > 0) {
            card.zero(floats.address, (long) size * Float.BYTES);
        }
        return floats;
    }

    @Override
    public Floats upload(float[] values) {
        card.use();
        NpuFloats floats = pool.floats(values.length);
        transfers.upload(values, 0, values.length, floats.address);
        return floats;
    }

    @Override
    public Floats upload(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return upload(narrow);
    }

    @Override
    public void read(Floats source, int sourceOffset, float[] target, int targetOffset, int count) {
        card.use();
        transfers.read(math.floats(source).address + (long) sourceOffset * Float.BYTES, target, targetOffset, count);
    }

    @Override
    public void copy(Floats source, int sourceOffset, Floats target, int targetOffset, int count) {
        card.use();
        math.copyFloats(
                math.floats(source).address + (long) sourceOffset * Float.BYTES,
                math.floats(target).address + (long) targetOffset * Float.BYTES,
                count);
    }

    @Override
    public void embed(Matrix embed, int[] tokens, int rows, int copies, Floats out) {
        card.use();
        int[] repeated = new int[rows * copies];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = tokens[i / copies];
        }
        try (Scratch scratch = math.scratch()) {
            Tensor table = residents.unquantized(embed).codes();
            Tensor target = math.tensor(out, repeated.length, embed.cols());
            Tensor found = table.type() == AclType.FLOAT ? target : scratch.tensor(table.type(), target.dims());
            launcher.run(Operator.EMBEDDING, table, math.ints(scratch, repeated, repeated.length), found);
            if (found != target) {
                math.cast(found, target);
            }
        }
    }

    @Override
    public void matmul(Floats x, int rows, Matrix w, Floats y) {
        card.use();
        products.linear(math.tensor(x, rows, w.cols()), w, math.tensor(y, rows, w.rows()));
    }

    @Override
    public void groupedMatmul(Floats x, int rows, Matrix w, int groups, Floats y) {
        card.use();
        products.grouped(math.tensor(x, rows, groups, w.cols()), w, math.tensor(y, rows, groups, w.rows() / groups));
    }

    @Override
    public void rmsNorm(Floats x, int rows, int dim, @Nullable Floats weight, double eps, Floats y) {
        card.use();
        NpuFloats gamma = weight == null ? residents.ones(dim) : math.floats(weight);
        Tensor in = math.tensor(x, rows, dim);
        Tensor out = math.tensor(y, rows, dim);
        if (x != y) {
            math.rmsNorm(in, gamma, eps, out);
            return;
        }
        try (Scratch scratch = math.scratch()) {
            Tensor apart = scratch.floats(rows, dim);
            math.rmsNorm(in, gamma, eps, apart);
            math.copyFloats(apart, 0, out, 0, (long) rows * dim);
        }
    }

    @Override
    public void rotate(Floats x, int rows, int heads, int dim, Floats angles, int pairs, Rotation rotation) {
        card.use();
        Tensor turn = math.tensor(angles, rows, pairs, 2);
        if (launcher.has(Operator.INPLACE_PARTIAL_ROTARY_MUL) && dim <= ROTARY_MAX_DIM) {
            rotateFused(math.tensor(x, rows, 1, heads, dim), turn, pairs, rotation);
            return;
        }
        Tensor rotated = math.tensor(x, rows, heads, dim).part(2, dim - 2L * pairs, 2L * pairs);
        long[] shape = {rows, heads, pairs};
        long[] steps = {(long) heads * dim, dim, 2};
        rotatePairs(rotated.view(0, shape, steps), rotated.view(1, shape, steps), turn, rotation);
    }

    /// @param x [rows, 1, heads, dim]
    /// @param turn [rows, pairs, 2]
    private void rotateFused(Tensor x, Tensor turn, int pairs, Rotation rotation) {
        long rows = x.dims()[0];
        long dim = x.dims()[3];
        try (Scratch scratch = math.scratch()) {
            Tensor cos = scratch.floats(rows, pairs, 2);
            Tensor sin = scratch.floats(rows, pairs, 2);
            math.copy(turn.part(2, 0, 1), cos);
            math.copy(turn.part(2, 1, 1), sin);
            if (rotation == Rotation.INVERSE) {
                math.scale(sin, -1, sin);
            }
            launcher.run(
                    Operator.INPLACE_PARTIAL_ROTARY_MUL,
                    x,
                    cos.shaped(rows, 1, 1, 2L * pairs),
                    sin.shaped(rows, 1, 1, 2L * pairs),
                    1L,
                    new long[] {dim - 2L * pairs, dim});
        }
    }

    /// Rotates the pairs (a, b), each [rows, heads, pairs].
    private void rotatePairs(Tensor a, Tensor b, Tensor turn, Rotation rotation) {
        try (Scratch scratch = math.scratch()) {
            Tensor cos = turn.swapped(1, 2).part(1, 0, 1);
            Tensor sin = turn.swapped(1, 2).part(1, 1, 1);
            Tensor left = scratch.floats(a.dims());
            Tensor right = scratch.floats(a.dims());
            Tensor crossed = scratch.floats(a.dims());
            math.multiply(b, sin, crossed);
            math.multiply(a, cos, left);
            math.multiply(a, sin, right);
            Tensor straight = scratch.floats(a.dims());
            math.multiply(b, cos, straight);
            if (rotation == Rotation.FORWARD) {
                math.subtract(left, crossed, a);
                math.add(straight, right, b);
            } else {
                math.add(left, crossed, a);
                math.subtract(straight, right, b);
            }
        }
    }

    @Override
    public void rotateHalves(Floats x, int rows, int heads, int dim, Floats angles) {
        card.use();
        int half = dim / 2;
        Tensor all = math.tensor(x, rows, heads, dim);
        rotatePairs(
                all.part(2, 0, half), all.part(2, half, half), math.tensor(angles, rows, half, 2), Rotation.FORWARD);
    }

    @Override
    public void roundFp8(Floats x, int rows, int dim, int length, int block) {
        card.use();
        Tensor all = math.tensor(x, rows, dim);
        CodeRounding.FP8.apply(math, all, length, block, all);
    }

    @Override
    public void hadamardRoundFp4(Floats x, int rows, int dim, int block) {
        card.use();
        try (Scratch scratch = math.scratch()) {
            Tensor transformed = scratch.floats(rows, dim);
            math.matmul(math.tensor(x, rows, dim), residents.hadamard(dim).tensor(dim, dim), transformed);
            CodeRounding.FP4.apply(math, transformed, dim, block, math.tensor(x, rows, dim));
        }
    }

    @Override
    public void hyperMix(
            Floats streams, int rows, int dim, HyperSite site, Floats collapsed, Floats post, Floats combine) {
        card.use();
        int n = site.n();
        hyper.mix(
                math.tensor(streams, rows, n, dim),
                rows,
                dim,
                site,
                math.tensor(collapsed, rows, dim),
                math.tensor(post, rows, n),
                math.tensor(combine, rows, n, n));
    }

    @Override
    public void hyperExpand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Floats streams) {
        card.use();
        hyper.expand(y, post, combine, rows, n, dim, math.tensor(streams, rows, n, dim));
    }

    @Override
    public void hyperCollapse(Floats streams, int rows, int dim, HyperSite site, Floats collapsed) {
        card.use();
        hyper.head(math.tensor(streams, rows, site.n(), dim), rows, dim, site, math.tensor(collapsed, rows, dim));
    }

    @Override
    public void pool(Floats values, Floats scores, Floats ape, Pooling shape, List<PoolSpan> spans, Floats out) {
        card.use();
        pooling.pool(values, scores, ape, shape, spans, out);
    }

    @Override
    public int[][] indexTopK(Floats q, Floats headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        card.use();
        return attention.indexTopK(q, headWeights, heads, dim, spans, topK);
    }

    @Override
    public void attend(
            Floats q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            Floats sink,
            double scale,
            Floats out) {
        card.use();
        attention.attend(q, keyValue, heads, dim, spans, chosen, sink, scale, out);
    }

    @Override
    public void keep(Floats keys, Floats values, KeyValueShape shape, List<CausalSpan> spans) {
        card.use();
        attention.keep(keys, values, shape, spans);
    }

    @Override
    public void attendCausal(
            Floats q, int heads, KeyValueShape shape, List<CausalSpan> spans, double scale, Floats out) {
        card.use();
        attention.attendCausal(q, heads, shape, spans, scale, out);
    }

    /// A routing that stays on the card: experts INT32 [rows, topK], their bits in floats, and their
    /// weights.
    private final class CardRouting implements Routing {
        private final NpuFloats chosen;
        private final NpuFloats shares;
        private final int rows;
        private final int topK;
        private final int layerExperts;

        CardRouting(int rows, int topK, int layerExperts) {
            this.chosen = pool.floats(rows * topK);
            this.shares = pool.floats(rows * topK);
            this.rows = rows;
            this.topK = topK;
            this.layerExperts = layerExperts;
        }

        Tensor chosenTensor() {
            return chosen.tensor(rows, topK).as(AclType.INT32);
        }

        Tensor sharesTensor() {
            return shares.tensor(rows, topK);
        }

        @Override
        public int[] experts() {
            card.use();
            return transfers.ints(chosen.address, rows * topK);
        }

        @Override
        public float[] weights() {
            card.use();
            float[] weights = new float[rows * topK];
            transfers.read(shares.address, weights, 0, weights.length);
            return weights;
        }

        @Override
        public int topK() {
            return topK;
        }
    }

    @Override
    public Routing routeSoftmax(Floats logits, int rows, int experts, int topK, SoftmaxOver over) {
        card.use();
        CardRouting routing = new CardRouting(rows, topK, experts);
        try (Scratch scratch = math.scratch()) {
            Tensor in = math.tensor(logits, rows, experts);
            choose(scratch, in, routing);
            Tensor shares = scratch.floats(rows, experts);
            math.softmax(in, 1, shares);
            math.gather(shares, 1, routing.chosenTensor(), routing.sharesTensor());
            if (over == SoftmaxOver.CHOSEN) {
                normalise(scratch, routing.sharesTensor());
            }
        }
        return routing;
    }

    /// The largest of each row, in the order of their indices.
    private void choose(Scratch scratch, Tensor scores, CardRouting routing) {
        long rows = scores.dims()[0];
        long topK = routing.topK();
        Tensor sorted = scratch.floats(scores.dims());
        Tensor order = scratch.tensor(AclType.INT64, scores.dims());
        math.sort(scores, 1, true, sorted, order);
        Tensor first = scratch.tensor(AclType.INT32, rows, topK);
        math.cast(order.part(1, 0, topK), first);
        math.sort(first, 1, false, routing.chosenTensor(), scratch.tensor(AclType.INT64, rows, topK));
    }

    private void normalise(Scratch scratch, Tensor weights) {
        Tensor sums = scratch.floats(weights.dims()[0], 1);
        math.sum(weights, 1, sums);
        math.divide(weights, sums, weights);
    }

    @Override
    public Routing route(Floats logits, int rows, int experts, @Nullable Floats bias, int topK, double scale) {
        card.use();
        CardRouting routing = new CardRouting(rows, topK, experts);
        try (Scratch scratch = math.scratch()) {
            Tensor in = math.tensor(logits, rows, experts);
            Tensor added = bias == null ? null : math.tensor(bias, experts);
            if (launcher.has(Operator.MOE_GATING_TOP_K) && card.soc().startsWith("Ascend950")) {
                gate(scratch, in, added, scale, routing);
                return routing;
            }
            Tensor scores = scores(scratch, in);
            Tensor biased = scores;
            if (added != null) {
                biased = scratch.floats(rows, experts);
                math.add(scores, added, biased);
            }
            choose(scratch, biased, routing);
            weigh(scratch, scores, scale, routing);
        }
        return routing;
    }

    /// MoeGatingTopK, whose root of softplus only Ascend 950 has. Its order is that of the scores.
    private void gate(Scratch scratch, Tensor logits, @Nullable Tensor bias, double scale, CardRouting routing) {
        launcher.run(
                Operator.MOE_GATING_TOP_K,
                logits,
                bias,
                (long) routing.topK(),
                1L,
                1L,
                0L,
                0L,
                2L,
                false,
                scale,
                0.0,
                routing.sharesTensor(),
                routing.chosenTensor(),
                scratch.floats(logits.dims()));
    }

    /// `sqrt(softplus(logit))`.
    private Tensor scores(Scratch scratch, Tensor logits) {
        Tensor scores = scratch.floats(logits.dims());
        launcher.run(
                Operator.SOFTPLUS,
                logits,
                new Launcher.Scalar(1, AclType.FLOAT),
                new Launcher.Scalar(SOFTPLUS_LINEAR, AclType.FLOAT),
                scores);
        launcher.run(Operator.SQRT, scores, scores);
        return scores;
    }

    private void weigh(Scratch scratch, Tensor scores, double scale, CardRouting routing) {
        Tensor weights = routing.sharesTensor();
        math.gather(scores, 1, routing.chosenTensor(), weights);
        normalise(scratch, weights);
        math.scale(weights, scale, weights);
    }

    @Override
    public Routing weigh(Floats logits, int rows, int experts, int[] chosen, int topK, double scale) {
        card.use();
        CardRouting routing = new CardRouting(rows, topK, experts);
        try (Scratch scratch = math.scratch()) {
            transfers.upload(chosen, routing.chosen.address);
            weigh(scratch, scores(scratch, math.tensor(logits, rows, experts)), scale, routing);
        }
        return routing;
    }

    @Override
    public void experts(
            Floats x, int rows, int dim, Routing routing, IntFunction<Swiglu> experts, double limit, Floats y) {
        card.use();
        CardRouting own = routing instanceof CardRouting made ? made : uploaded(routing, rows);
        List<Swiglu> all =
                IntStream.range(0, own.layerExperts).mapToObj(experts).toList();
        products.experts(
                math.tensor(x, rows, dim),
                own.chosenTensor(),
                own.sharesTensor(),
                all,
                limit,
                math.tensor(y, rows, dim));
    }

    private CardRouting uploaded(Routing routing, int rows) {
        int[] chosen = routing.experts();
        CardRouting copy =
                new CardRouting(rows, routing.topK(), IntStream.of(chosen).max().orElse(0) + 1);
        transfers.upload(chosen, copy.chosen.address);
        transfers.upload(routing.weights(), 0, rows * routing.topK(), copy.shares.address);
        return copy;
    }

    @Override
    public void addSwiglu(Floats x, int rows, Swiglu expert, double limit, Floats y) {
        card.use();
        try (Scratch scratch = math.scratch()) {
            Tensor out = scratch.floats(rows, expert.down().rows());
            products.swiglu(math.tensor(x, rows, expert.gate().cols()), expert, limit, out);
            math.accumulate(out, math.tensor(y, rows, expert.down().rows()));
        }
    }

    @Override
    public void gather(Floats x, int[] indices, int dim, Floats out) {
        card.use();
        try (Scratch scratch = math.scratch()) {
            NpuFloats from = math.floats(x);
            math.rows(
                    from.tensor(from.size() / dim, dim),
                    math.ints(scratch, indices, indices.length),
                    math.tensor(out, indices.length, dim));
        }
    }

    @Override
    public void add(Floats x, int count, Floats y) {
        card.use();
        math.accumulate(math.tensor(x, count), math.tensor(y, count));
    }

    @Override
    public double[] logSumExp(Floats x, int rows, int dim) {
        card.use();
        float[] largest = new float[rows];
        float[] sums = new float[rows];
        try (Scratch scratch = math.scratch()) {
            Tensor in = math.tensor(x, rows, dim);
            Tensor max = scratch.floats(rows, 1);
            Tensor sum = scratch.floats(rows, 1);
            Tensor powers = scratch.floats(rows, dim);
            math.largest(in, 1, max);
            math.subtract(in, max, powers);
            launcher.run(Operator.EXP, powers, powers);
            math.sum(powers, 1, sum);
            transfers.read(max.address(), largest, 0, rows);
            transfers.read(sum.address(), sums, 0, rows);
        }
        double[] logs = new double[rows];
        for (int r = 0; r < rows; r++) {
            logs[r] = largest[r] + Math.log(sums[r]);
        }
        return logs;
    }

    /// Waits for the card, then gives everything back; what the card refuses by then is logged.
    @Override
    public void close() {
        try {
            card.use();
            card.synchronize(card.computeStream());
            card.synchronize(card.copyStream());
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.WARNING, "closing: {0}", e.getMessage());
        }
        card.stop();
        launcher.close();
        residents.close();
        transfers.close();
        pool.close();
        card.close();
    }
}
