package io.millrace.udf;

import io.millrace.engine.api.ExpertLoad;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The latest report of every executor, on the driver.
///
/// Static because Spark makes the plugin that receives the reports, and there is one Spark context per
/// process: the map lives as long as the driver, and is emptied when a context starts. It grows by one entry
/// per executor. Reports are for looking at; what a run counts in the end it counts in the committed output.
public final class RunProgress {
    private static final ConcurrentHashMap<String, ProgressReport> REPORTS = new ConcurrentHashMap<>();
    private static final ConcurrentHashMap<String, ExpertLoad> EXPERTS = new ConcurrentHashMap<>();

    private RunProgress() {}

    static void clear() {
        REPORTS.clear();
        EXPERTS.clear();
    }

    static void receive(ProgressReport report) {
        REPORTS.put(report.executorId(), report);
    }

    static void receive(ExpertReport report) {
        EXPERTS.put(report.executorId(), report.load());
    }

    /// An executor has ended: nothing runs there any more.
    ///
    /// @return its last report; null if it has never reported
    static @Nullable ProgressReport gone(String executorId) {
        return REPORTS.computeIfPresent(executorId, (_, report) -> report.gone());
    }

    /// The latest of every executor, also of those that ended, in the order of their names.
    public static List<ProgressReport> reports() {
        return REPORTS.values().stream()
                .sorted(Comparator.comparing(ProgressReport::executorId))
                .toList();
    }

    /// Which experts the tokens of every executor went to, by executor; of an executor whose tasks have
    /// ended, all of them.
    public static Map<String, ExpertLoad> experts() {
        return Map.copyOf(EXPERTS);
    }

    /// Sums over all executors, also those that ended.
    public static Totals totals() {
        return Totals.of(REPORTS.values());
    }

    /// Sums over executors.
    ///
    /// @param executors how many have reported
    /// @param errors rows yielded with status error, by error code
    public record Totals(
            int executors,
            long rowsOk,
            Map<String, Long> errors,
            long promptTokens,
            long cachedTokens,
            long completionTokens,
            int running,
            int waiting) {

        public Totals {
            errors = Map.copyOf(errors);
        }

        static Totals of(Collection<ProgressReport> reports) {
            Totals sum = new Totals(0, 0, Map.of(), 0, 0, 0, 0, 0);
            for (ProgressReport report : reports) {
                sum = sum.plus(report);
            }
            return sum;
        }

        /// Rows yielded with status error.
        public long rowsError() {
            return errors.values().stream().mapToLong(Long::longValue).sum();
        }

        private Totals plus(ProgressReport report) {
            return new Totals(
                    executors + 1,
                    rowsOk + report.rowsOk(),
                    merged(report.errors(), 1),
                    promptTokens + report.promptTokens(),
                    cachedTokens + report.cachedTokens(),
                    completionTokens + report.completionTokens(),
                    running + report.running(),
                    waiting + report.waiting());
        }

        /// What was done since an earlier look.
        public Totals since(Totals earlier) {
            return new Totals(
                    executors,
                    rowsOk - earlier.rowsOk,
                    merged(earlier.errors, -1),
                    promptTokens - earlier.promptTokens,
                    cachedTokens - earlier.cachedTokens,
                    completionTokens - earlier.completionTokens,
                    running,
                    waiting);
        }

        private Map<String, Long> merged(Map<String, Long> others, int sign) {
            Map<String, Long> sums = new TreeMap<>(errors);
            others.forEach((code, count) -> sums.merge(code, sign * count, Long::sum));
            sums.values().removeIf(count -> count == 0);
            return sums;
        }
    }
}
