package io.millrace.jobs;

import io.millrace.udf.Retry;
import io.millrace.udf.RetryPlan;
import io.millrace.udf.SamplingRecipe;
import io.millrace.udf.shard.QuarantinedRows;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;

/// What the gate has set aside, counted. Keeps a name for each file of the output that holds such rows, and
/// nothing for a row.
///
/// @param rows how many
/// @param retriedOk how many of them were answered, and had been retried before
/// @param due how many are to be retried next
/// @param files names of the files of the output that hold those
record Quarantine(long rows, long retriedOk, long due, SortedSet<String> files) {

    static final Quarantine NONE = new Quarantine(0, 0, 0, new TreeSet<>());

    /// @param plan which rows are due
    /// @param sampling what a retry's parameters change
    /// @throws JobException if the parameters that the rules give for a row cannot be used
    static Quarantine read(CompletionSink sink, RetryPlan plan, SamplingRecipe sampling, Configuration conf) {
        long rows = 0;
        long retriedOk = 0;
        long due = 0;
        SortedSet<String> files = new TreeSet<>();
        Set<Map<String, Double>> known = new HashSet<>();
        try (QuarantinedRows found = QuarantinedRows.of(sink.output().quarantine(), conf)) {
            while (found.hasNext()) {
                QuarantinedRows.Found row = found.next();
                rows++;
                retriedOk += row.isOk() && row.attempts() > 0 ? 1 : 0;
                Retry next = plan.next(row.rules(), row.attempts());
                if (next != null) {
                    due++;
                    files.add(row.outputFile());
                    if (known.add(next.parameters())) {
                        requireUsable(next, sampling);
                    }
                }
            }
        }
        return new Quarantine(rows, retriedOk, due, files);
    }

    private static void requireUsable(Retry retry, SamplingRecipe sampling) {
        try {
            SamplingRecipe _ = sampling.with(retry.parameters());
        } catch (IllegalArgumentException e) {
            throw new JobException(
                    "gate: retry " + retry.attempt() + " of rows that break " + retry.rules() + " with "
                            + retry.parameters() + ": " + e.getMessage(),
                    e);
        }
    }
}
