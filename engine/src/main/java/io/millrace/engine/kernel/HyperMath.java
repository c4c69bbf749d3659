package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.HyperSite;

/// One row of manifold-constrained hyper-connections (deepseek-v4.md section 2.3), n streams of dim floats.
final class HyperMath {
    private HyperMath() {}

    /// Multiplies `count` mixes by the inverse root mean square of the row they were computed from.
    static void scaleByInverseRms(
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
    static double[] pre(float[] mixes, int mixesAt, HyperSite site, float[] base, double scale) {
        double[] pre = new double[site.n()];
        for (int j = 0; j < pre.length; j++) {
            pre[j] = Scalar.sigmoid(mixes[mixesAt + j] * scale + base[j]) + site.eps();
        }
        return pre;
    }

    /// Weights of the sub-layer's output and of the streams among themselves.
    static void mix(
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
        sinkhorn(a, n, site.iterations(), site.eps());
        for (int j = 0; j < n * n; j++) {
            combine[combineAt + j] = (float) a[j];
        }
    }

    static void collapse(double[] pre, float[] streams, int streamsAt, int dim, float[] collapsed, int collapsedAt) {
        for (int c = 0; c < dim; c++) {
            double sum = 0;
            for (int j = 0; j < pre.length; j++) {
                sum += pre[j] * streams[streamsAt + j * dim + c];
            }
            collapsed[collapsedAt + c] = (float) sum;
        }
    }

    /// Softmax over each row plus eps, columns normalised; then rows and columns in turn. The first pair
    /// counts as one iteration.
    static void sinkhorn(double[] a, int n, int iterations, double eps) {
        for (int j = 0; j < n; j++) {
            softmaxRow(a, j * n, n, eps);
        }
        normaliseColumns(a, n, eps);
        for (int i = 1; i < iterations; i++) {
            normaliseRows(a, n, eps);
            normaliseColumns(a, n, eps);
        }
    }

    private static void softmaxRow(double[] a, int at, int n, double eps) {
        double max = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < n; k++) {
            max = Math.max(max, a[at + k]);
        }
        double sum = 0;
        for (int k = 0; k < n; k++) {
            a[at + k] = Math.exp(a[at + k] - max);
            sum += a[at + k];
        }
        for (int k = 0; k < n; k++) {
            a[at + k] = a[at + k] / sum + eps;
        }
    }

    private static void normaliseRows(double[] a, int n, double eps) {
        for (int j = 0; j < n; j++) {
            double sum = eps;
            for (int k = 0; k < n; k++) {
                sum += a[j * n + k];
            }
            for (int k = 0; k < n; k++) {
                a[j * n + k] /= sum;
            }
        }
    }

    private static void normaliseColumns(double[] a, int n, double eps) {
        for (int k = 0; k < n; k++) {
            double sum = eps;
            for (int j = 0; j < n; j++) {
                sum += a[j * n + k];
            }
            for (int j = 0; j < n; j++) {
                a[j * n + k] /= sum;
            }
        }
    }

    /// @param mixed scratch of n floats
    static void expand(
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
