package io.millrace.npu;

import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.tensor.Floats;

/// Hyper-connections: CANN's fused operators where they exist and take what we have, primitives elsewhere.
/// MhcPreSinkhorn and MhcPost take BF16 streams, n = 4, 20 iterations and widths that are multiples of 128,
/// so they serve the BF16 and INT8 arithmetics; MhcSinkhorn takes FP32 and exists on Ascend 950 only.
final class HyperMixing {
    private static final int FUSED_STREAMS = 4;
    private static final int FUSED_ITERATIONS = 20;
    private static final int FUSED_WIDTH = 128;

    private final CardMath math;
    private final boolean narrow;
    private final boolean sinkhorn;

    HyperMixing(CardMath math, Arithmetic arithmetic) {
        this.math = math;
        this.narrow = arithmetic != Arithmetic.F32
                && math.launcher.has(Operator.MHC_PRE_SINKHORN)
                && math.launcher.has(Operator.MHC_POST);
        this.sinkhorn =
                math.launcher.has(Operator.MHC_SINKHORN) && math.card.soc().startsWith("Ascend950");
    }

    /// See {@link io.millrace.engine.kernel.Kernels#hyperMix}.
    void mix(Tensor streams, int rows, int dim, HyperSite site, Tensor collapsed, Tensor post, Tensor combine) {
        if (narrow && isFusable(site.n(), dim) && site.iterations() == FUSED_ITERATIONS) {
            fusedMix(streams, rows, dim, site, collapsed, post, combine);
            return;
        }
        int n = site.n();
        try (Scratch scratch = math.scratch()) {
            Tensor mixes = mixes(scratch, streams, rows, dim, site);
            collapse(mixes, streams, rows, dim, site, collapsed);
            affine(mixes.part(1, n, n), site, 1, n, post);
            math.sigmoid(post, post);
            math.scale(post, 2, post);
            affine(mixes.part(1, 2L * n, (long) n * n), site, 2, 2 * n, combine.shaped(rows, (long) n * n));
            normalise(combine.shaped(rows, n, n), site);
        }
    }

    private static boolean isFusable(int n, int dim) {
        return n == FUSED_STREAMS && dim % FUSED_WIDTH == 0;
    }

    private void fusedMix(
            Tensor streams, int rows, int dim, HyperSite site, Tensor collapsed, Tensor post, Tensor combine) {
        int n = site.n();
        try (Scratch scratch = math.scratch()) {
            Tensor x = scratch.tensor(AclType.BF16, rows, 1, n, dim);
            math.cast(streams.shaped(rows, 1, n, dim), x);
            Tensor in = scratch.tensor(AclType.BF16, rows, 1, dim);
            math.launcher.run(
                    Operator.MHC_PRE_SINKHORN,
                    x,
                    math.residents.matrix(site.fn()).codes(),
                    math.tensor(site.scale(), 3),
                    math.tensor(site.base(), (2L + n) * n),
                    (long) n,
                    (long) site.iterations(),
                    site.eps(),
                    site.normEps(),
                    false,
                    in,
                    post.shaped(rows, 1, n),
                    combine.shaped(rows, 1, (long) n * n),
                    null,
                    null,
                    null,
                    null,
                    null);
            math.cast(in.shaped(rows, dim), collapsed);
        }
    }

    /// `fn · f · (mean(f²) + eps)^-½`: [rows, fn.rows].
    private Tensor mixes(Scratch scratch, Tensor streams, int rows, int dim, HyperSite site) {
        long width = (long) site.n() * dim;
        Tensor normed = scratch.floats(rows, width);
        math.rmsNorm(streams.shaped(rows, width), math.residents.ones((int) width), site.normEps(), normed);
        Tensor mixes = scratch.floats(rows, site.fn().rows());
        new Products(math).linear(normed, site.fn(), mixes);
        return mixes;
    }

    /// `out = x * scale[part] + base[from ..]`.
    private void affine(Tensor x, HyperSite site, int part, int from, Tensor out) {
        long count = x.dims()[1];
        math.multiply(x, math.floats(site.scale()).at(part, 1), out);
        math.add(out, math.floats(site.base()).at(from, count), out);
    }

    private void collapse(Tensor mixes, Tensor streams, int rows, int dim, HyperSite site, Tensor collapsed) {
        int n = site.n();
        try (Scratch scratch = math.scratch()) {
            Tensor pre = scratch.floats(rows, n);
            affine(mixes.part(1, 0, n), site, 0, 0, pre);
            math.sigmoid(pre, pre);
            math.shift(pre, site.eps(), pre);
            math.batchMatmul(pre.shaped(rows, 1, n), streams.shaped(rows, n, dim), collapsed.shaped(rows, 1, dim));
        }
    }

    /// Sinkhorn's normalisation (deepseek-v4.md section 2.3, step 5), in place.
    private void normalise(Tensor a, HyperSite site) {
        try (Scratch scratch = math.scratch()) {
            Tensor out = scratch.floats(a.dims());
            if (sinkhorn && a.dims()[2] == FUSED_STREAMS) {
                math.launcher.run(
                        Operator.MHC_SINKHORN, a, (float) site.eps(), (long) site.iterations(), out, null, null);
            } else {
                math.softmax(a, 2, out);
                math.shift(out, site.eps(), out);
                divideBySums(out, 1, site.eps());
                for (int i = 1; i < site.iterations(); i++) {
                    divideBySums(out, 2, site.eps());
                    divideBySums(out, 1, site.eps());
                }
            }
            math.copyFloats(out, 0, a, 0, a.elements());
        }
    }

    private void divideBySums(Tensor a, int dim, double eps) {
        long[] dims = a.dims().clone();
        dims[dim] = 1;
        try (Scratch own = math.scratch()) {
            Tensor sums = own.floats(dims);
            math.sum(a, dim, sums);
            math.shift(sums, eps, sums);
            math.divide(a, sums, a);
        }
    }

    /// `streams[k] = post[k] y + Σ_j combine[j][k] streams[j]`, in place.
    void expand(Floats y, Floats post, Floats combine, int rows, int n, int dim, Tensor streams) {
        try (Scratch scratch = math.scratch()) {
            if (narrow && isFusable(n, dim)) {
                Tensor x = scratch.tensor(AclType.BF16, rows, n, dim);
                Tensor added = scratch.tensor(AclType.BF16, rows, dim);
                Tensor out = scratch.tensor(AclType.BF16, rows, n, dim);
                math.cast(streams, x);
                math.cast(math.tensor(y, rows, dim), added);
                math.launcher.run(
                        Operator.MHC_POST, x, math.tensor(combine, rows, n, n), added, math.tensor(post, rows, n), out);
                math.cast(out, streams);
                return;
            }
            Tensor mixed = scratch.floats(rows, n, dim);
            math.batchMatmul(math.tensor(combine, rows, n, n).swapped(1, 2), streams, mixed);
            Tensor added = scratch.floats(rows, n, dim);
            math.multiply(math.tensor(post, rows, n, 1), math.tensor(y, rows, 1, dim), added);
            math.add(mixed, added, streams);
        }
    }

    /// Collapses the streams before the output head.
    void head(Tensor streams, int rows, int dim, HyperSite site, Tensor collapsed) {
        try (Scratch scratch = math.scratch()) {
            collapse(mixes(scratch, streams, rows, dim, site), streams, rows, dim, site, collapsed);
        }
    }
}
