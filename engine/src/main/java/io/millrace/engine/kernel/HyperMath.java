package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;

/// One row of manifold-constrained hyper-connections (deepseek-v4.md section 2.3), n streams of dim floats;
/// sums in double precision.
final class HyperMath {
    private HyperMath() {}

    /// Scales row r's mixes [rows, fn.rows] by the inverse root mean square of its streams.
    static void scaleRow(float[] streams, int r, HyperSite site, float[] mixes) {
        int width = site.fn().cols();
        int count = site.fn().rows();
        scaleByInverseRms(streams, r * width, width, site.normEps(), mixes, r * count, count);
    }

    /// Row r of {@link Kernels#hyperMix}, from its scaled mixes.
    static void mixRow(
            float[] mixes,
            int r,
            int dim,
            HyperSite site,
            float[] streams,
            float[] collapsed,
            float[] post,
            float[] combine) {
        int n = site.n();
        int at = r * site.fn().rows();
        float[] base = array(site.base());
        float[] scale = array(site.scale());
        collapse(pre(mixes, at, site, base, scale[0]), streams, r * n * dim, dim, collapsed, r * dim);
        mix(mixes, at, base, scale, site, post, r * n, combine, r * n * n);
    }

    /// Row r of {@link Kernels#hyperCollapse}, from its scaled mixes.
    static void collapseRow(float[] mixes, int r, int dim, HyperSite site, float[] streams, float[] collapsed) {
        double[] pre = pre(mixes, r * site.n(), site, array(site.base()), array(site.scale())[0]);
        collapse(pre, streams, r * site.n() * dim, dim, collapsed, r * dim);
    }

    /// Row r of {@link Kernels#hyperExpand}.
    ///
    /// @param mixed scratch of n floats
    static void expandRow(
            float[] y, float[] post, float[] combine, int r, int n, int dim, float[] streams, float[] mixed) {
        expand(y, r * dim, post, r * n, combine, r * n * n, n, dim, streams, r * n * dim, mixed);
    }

    private static float[] array(Floats floats) {
        return ((HostFloats) floats).array();
    }

    /// Multiplies `count` mixes by the inverse root mean square of the row they were computed from.
    private static void scaleByInverseRms(
            float[] streams, int at, int width, double eps, float[] mixes, int mixesAt, int count) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
            squares += (double) streams[at + i] * streams[at + i];
        }
        double factor = 1 / Math.sqrt(squares / width + eps);
        for (int i = 0; i < count; i++) {
            mixes[mixesAt + i] = (float) (mixes[mixesAt + i] * factor);
        }
    }

    /// Weights of the collapsed stream.
    private static double[] pre(float[] mixes, int mixesAt, HyperSite site, float[] base, double scale) {
        double[] pre = new double[site.n()];
        for (int j = 0; j < pre.length; j++) {
            pre[j] = Scalar.sigmoid(mixes[mixesAt + j] * scale + base[j]) + site.eps();
        }
        return pre;
    }

    /// Weights of the sub-layer's output and of the streams among themselves.
    private static void mix(
            float[] mixes,
            int mixesAt,
            float[] base,
            float[] scale,
            HyperSite site,
            float[] post,
            int postAt,
            float[] combine,
            int combineAt) {
        int n = site.n();
        for (int j = 0; j < n; j++) {
            post[postAt + j] = (float) (2 * Scalar.sigmoid((double) mixes[mixesAt + n + j] * scale[1] + base[n + j]));
        }
        double[] a = new double[n * n];
        for (int j = 0; j < n * n; j++) {
            a[j] = (double) mixes[mixesAt + 2 * n + j] * scale[2] + base[2 * n + j];
        }
        Sinkhorn.normalise(a, n, site.iterations(), site.eps());
        for (int j = 0; j < n * n; j++) {
            combine[combineAt + j] = (float) a[j];
        }
    }

    private static void collapse(
            double[] pre, float[] streams, int streamsAt, int dim, float[] collapsed, int collapsedAt) {
        for (int c = 0; c < dim; c++) {
            double sum = 0;
            for (int j = 0; j < pre.length; j++) {
                sum += pre[j] * streams[streamsAt + j * dim + c];
            }
            collapsed[collapsedAt + c] = (float) sum;
        }
    }

    private static void expand(
            float[] y,
            int yAt,
            float[] post,
            int postAt,
            float[] combine,
            int combineAt,
            int n,
            int dim,
            float[] streams,
            int streamsAt,
            float[] mixed) {
        for (int c = 0; c < dim; c++) {
            for (int k = 0; k < n; k++) {
                double sum = (double) post[postAt + k] * y[yAt + c];
                for (int j = 0; j < n; j++) {
                    sum += (double) combine[combineAt + j * n + k] * streams[streamsAt + j * dim + c];
                }
                mixed[k] = (float) sum;
            }
            for (int k = 0; k < n; k++) {
                streams[streamsAt + k * dim + c] = mixed[k];
            }
        }
    }
}
