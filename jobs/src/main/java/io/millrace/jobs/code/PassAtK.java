package io.millrace.jobs.code;

import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// How likely it is that one of k programs passes, estimated without bias from n of which c passed: 1 −
/// C(n−c, k) / C(n, k) (Chen et al. 2021, arXiv:2107.03374, §2.1), as the product that does not overflow.
final class PassAtK {
    private static final List<Integer> COMMON = List.of(1, 10, 100);

    /// Programs of one task.
    record Count(int samples, int passed) {}

    private PassAtK() {}

    /// @param k at most n
    static double of(int n, int c, int k) {
        if (k < 1 || k > n || c < 0 || c > n) {
            throw new IllegalArgumentException(
                    "pass@k: expected 1 <= k <= n, 0 <= c <= n, got n=" + n + " c=" + c + " k=" + k);
        }
        double none = 1;
        for (int i = n - c + 1; i <= n; i++) {
            none *= 1 - (double) k / i;
            if (i <= k) {
                // fewer programs failed than are drawn: one of them passes
                return 1;
            }
        }
        return 1 - none;
    }

    /// Mean over all tasks, for each usual k that every task has programs for.
    static SortedMap<Integer, Double> mean(Collection<Count> tasks) {
        TreeMap<Integer, Double> means = new TreeMap<>();
        int fewest = tasks.stream().mapToInt(Count::samples).min().orElse(0);
        for (int k : COMMON) {
            if (k <= fewest) {
                means.put(
                        k,
                        tasks.stream()
                                .mapToDouble(task -> of(task.samples(), task.passed(), k))
                                .average()
                                .orElseThrow());
            }
        }
        return means;
    }
}
