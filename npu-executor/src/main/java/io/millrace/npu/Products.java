package io.millrace.npu;

import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import io.millrace.npu.Launcher.Single;
import io.millrace.npu.Residents.Experts;
import io.millrace.npu.Residents.Weight;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Products with weights. Operands come and results go in FP32; what lies between is the weight's type.
final class Products {
    private final CardMath math;
    private final Residents residents;

    Products(CardMath math) {
        this.math = math;
        this.residents = math.residents;
    }

    /// `y = x wᵀ`.
    ///
    /// @param x [rows, cols]
    void linear(Tensor x, Matrix w, Tensor y) {
        linear(x, residents.matrix(w), y);
    }

    private void linear(Tensor x, Weight w, Tensor y) {
        try (Scratch scratch = math.scratch()) {
            Tensor transposed = w.codes().swapped(0, 1);
            switch (w.type()) {
                case FLOAT -> math.matmul(x, transposed, y);
                case BF16 -> {
                    Tensor out = scratch.tensor(AclType.BF16, y.dims());
                    math.matmul(narrowed(scratch, x), transposed, out);
                    math.cast(out, y);
                }
                default -> {
                    Tensor out = scratch.tensor(AclType.BF16, y.dims());
                    Quantized q = quantized(scratch, x);
                    math.launcher.run(
                            Operator.QUANT_MATMUL_V4,
                            q.codes(),
                            w.codes(),
                            Objects.requireNonNull(w.scales()),
                            null,
                            q.scales(),
                            null,
                            false,
                            true,
                            out);
                    math.cast(out, y);
                }
            }
        }
    }

    private Tensor narrowed(Scratch scratch, Tensor x) {
        Tensor narrow = scratch.tensor(AclType.BF16, x.dims());
        math.cast(x, narrow);
        return narrow;
    }

    /// @param codes INT8 [rows, cols]
    /// @param scales FLOAT [rows]
    private record Quantized(Tensor codes, Tensor scales) {}

    private Quantized quantized(Scratch scratch, Tensor x) {
        Tensor narrow = narrowed(scratch, x);
        Tensor codes = scratch.tensor(AclType.INT8, x.dims());
        Tensor scales = scratch.floats(x.dims()[0]);
        math.launcher.run(Operator.DYNAMIC_QUANT, narrow, null, codes, scales);
        return new Quantized(codes, scales);
    }

    /// One product per group, the rows of w group-major.
    ///
    /// @param x [rows, groups, cols]
    /// @param y [rows, groups, rows of a group]
    void grouped(Tensor x, Matrix matrix, Tensor y) {
        Weight w = residents.unquantized(matrix);
        long rows = x.dims()[0];
        long groups = x.dims()[1];
        long cols = x.dims()[2];
        long perGroup = y.dims()[2];
        try (Scratch scratch = math.scratch()) {
            Tensor weights = w.codes().shaped(groups, perGroup, cols).swapped(1, 2);
            Tensor out = scratch.tensor(w.type(), groups, rows, perGroup);
            Tensor in = w.type() == AclType.FLOAT ? x : narrowed(scratch, x);
            math.batchMatmul(in.swapped(0, 1), weights, out);
            math.copy(out.swapped(0, 1), y);
        }
    }

    /// `y = down(silu(gate x) * up x)`.
    void swiglu(Tensor x, Swiglu expert, double limit, Tensor y) {
        try (Scratch scratch = math.scratch()) {
            Weight gateUp = residents.gateUp(expert);
            Tensor both = scratch.floats(x.dims()[0], gateUp.codes().dims()[0]);
            linear(x, gateUp, both);
            linear(activated(scratch, both, limit), residents.matrix(expert.down()), y);
        }
    }

    private Tensor activated(Scratch scratch, Tensor both, double limit) {
        long inner = both.dims()[1] / 2;
        if (limit != 0) {
            Tensor gate = both.part(1, 0, inner);
            Tensor up = both.part(1, inner, inner);
            math.clamp(gate, null, limit, gate);
            math.clamp(up, -limit, limit, up);
        }
        Tensor out = scratch.floats(both.dims()[0], inner);
        math.launcher.run(Operator.SWIGLU, both, 1L, out);
        return out;
    }

    /// Each row's experts, weighted and summed in the order in which they are named. Rows are put in the
    /// order of their experts, multiplied group by group and put back (MoeInitRoutingV2, GroupedMatmulV4,
    /// MoeFinalizeRoutingV2).
    ///
    /// @param x [rows, dim]
    /// @param chosen INT32 [rows, topK]
    /// @param weights [rows, topK]
    void experts(Tensor x, Tensor chosen, Tensor weights, List<Swiglu> all, double limit, Tensor y) {
        Experts experts = residents.experts(all);
        long slots = chosen.elements();
        long dim = x.dims()[1];
        try (Scratch scratch = math.scratch()) {
            Tensor expanded = scratch.floats(slots, dim);
            Tensor places = scratch.tensor(AclType.INT32, slots);
            Tensor counts = scratch.tensor(AclType.INT32, experts.count());
            Tensor groups = scratch.tensor(AclType.INT64, experts.count());
            math.launcher.run(
                    Operator.MOE_INIT_ROUTING_V2,
                    x,
                    chosen,
                    0L,
                    0L,
                    (long) experts.count(),
                    0L,
                    2L,
                    false,
                    expanded,
                    places,
                    counts,
                    null);
            math.cast(counts, groups);
            Tensor both = scratch.floats(slots, experts.gateUp().codes().dims()[2]);
            groupedMatmul(expanded, experts.gateUp(), groups, both);
            Tensor out = scratch.floats(slots, dim);
            groupedMatmul(activated(scratch, both, limit), experts.down(), groups, out);
            math.launcher.run(Operator.MOE_FINALIZE_ROUTING_V2, out, places, null, null, null, weights, null, 2L, y);
        }
    }

    private void groupedMatmul(Tensor x, Weight w, Tensor groups, Tensor y) {
        try (Scratch scratch = math.scratch()) {
            switch (w.type()) {
                case FLOAT -> groupedMatmul(x, w, null, groups, y);
                case BF16 -> {
                    Tensor out = scratch.tensor(AclType.BF16, y.dims());
                    groupedMatmul(narrowed(scratch, x), w, null, groups, out);
                    math.cast(out, y);
                }
                default -> {
                    Tensor out = scratch.tensor(AclType.BF16, y.dims());
                    Quantized q = quantized(scratch, x);
                    groupedMatmul(q.codes(), w, q.scales(), groups, out);
                    math.cast(out, y);
                }
            }
        }
    }

    /// One tensor in, one of weights, one out; rows grouped, the groups' sizes on the card.
    private void groupedMatmul(Tensor x, Weight w, @Nullable Tensor tokenScales, Tensor groups, Tensor y) {
        math.launcher.run(
                Operator.GROUPED_MATMUL_V4,
                new Single(x),
                new Single(w.codes()),
                null,
                w.scales() == null ? null : new Single(w.scales()),
                null,
                null,
                null,
                tokenScales == null ? null : new Single(tokenScales),
                groups,
                null,
                null,
                null,
                3L,
                0L,
                1L,
                0L,
                new Single(y),
                null,
                null);
    }
}
