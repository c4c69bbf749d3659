package io.millrace.udf;

import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;

/// The latest report of every executor, on the driver.
///
/// Static because Spark makes the plugin that receives the reports, and there is one Spark context per
/// process: the map lives as long as the driver, and is emptied when a context starts. It grows by one entry
/// per executor. Reports are for looking at; what a run counts in the end it counts in the committed output.
public final class RunProgress {
    private static final ConcurrentHashMap<String, ProgressReport> REPORTS = new ConcurrentHashMap<>();

    private RunProgress() {}

    static void clear() {
        REPORTS.clear();
    }

    static void receive(ProgressReport report) {
        REPORTS.put(report.executorId(), report);
    }

    /// Sums over all executors, also those that ended.
    public static Totals totals() {
        return Totals.of(REPORTS.values());
    }

    /// Sums over executors.
    ///
    /// @param executors how many have reported
    public record Totals(
            int executors,
            long rowsOk,
            long rowsError,
            long promptTokens,
            long completionTokens,
            int running,
            int waiting) {

        static Totals of(Collection<ProgressReport> reports) {
            Totals sum = new Totals(0, 0, 0, 0, 0, 0, 0);
            for (ProgressReport report : reports) {
                sum = sum.plus(report);
            }
            return sum;
        }

        private Totals plus(ProgressReport report) {
            return new Totals(
                    executors + 1,
                    rowsOk + report.rowsOk(),
                    rowsError + report.rowsError(),
                    promptTokens + report.promptTokens(),
                    completionTokens + report.completionTokens(),
                    running + report.running(),
                    waiting + report.waiting());
        }

        /// What was done since an earlier look.
        public Totals since(Totals earlier) {
            return new Totals(
                    executors,
                    rowsOk - earlier.rowsOk,
                    rowsError - earlier.rowsError,
                    promptTokens - earlier.promptTokens,
                    completionTokens - earlier.completionTokens,
                    running,
                    waiting);
        }
    }
}
