package io.millrace.engine.kernel;

/// The normalisation of hyper-connections' mixing matrices (deepseek-v4.md section 2.3, step 5), in double
/// precision on every ring.
final class Sinkhorn {
    private Sinkhorn() {}

    /// Softmax over each row plus eps, columns normalised; then rows and columns in turn. The first pair
    /// counts as one iteration.
    static void normalise(double[] a, int n, int iterations, double eps) {
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
}
