package io.millrace.jobs.generate;

import io.millrace.jobs.JobException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// What became of the rows of a step; written beside them when they are whole.
///
/// @param fingerprint of the step, its settings and all before it
/// @param outcome of the rows: the fingerprint, and what models said
/// @param in rows that came in
/// @param made rows of the step, kept and dropped ones
/// @param dropped rows by reason
/// @param runs runs of models that the step needed
/// @param notes what else a reader of the figures should know
record StepCounts(
        String name,
        String kind,
        String fingerprint,
        String outcome,
        long in,
        long made,
        long kept,
        SortedMap<String, Long> dropped,
        List<RunFacts> runs,
        List<String> notes) {

    StepCounts {
        dropped = new TreeMap<>(dropped);
        runs = List.copyOf(runs);
        notes = List.copyOf(notes);
    }

    /// A run of a model, as its manifest has it.
    ///
    /// @param gate the gate's verdict, `off` without one
    record RunFacts(
            String folder,
            String model,
            String revision,
            String weightsSha,
            String quantization,
            String gate,
            long ok,
            long errors,
            long quarantined,
            long promptTokens,
            long completionTokens,
            String digest) {}

    /// How many rows of a table are kept, and dropped for which reason.
    record Outcomes(long kept, SortedMap<String, Long> dropped) {

        static Outcomes of(Dataset<Row> rows) {
            long kept = 0;
            SortedMap<String, Long> dropped = new TreeMap<>();
            for (Row reason : rows.groupBy(PipelineRow.REASON).count().collectAsList()) {
                if (reason.isNullAt(0)) {
                    kept = reason.getLong(1);
                } else {
                    dropped.put(reason.getString(0), reason.getLong(1));
                }
            }
            return new Outcomes(kept, dropped);
        }
    }

    /// @throws JobException if a row was lost, or is there twice
    void requireConserved(long expected, long identities) {
        long sum = kept + dropped.values().stream().mapToLong(Long::longValue).sum();
        if (made != expected || sum != made || identities != made) {
            throw new JobException("step " + name + ": expected " + expected
                    + " rows, each with an identity of its own,"
                    + " got " + made + " with " + identities + " identities, of which " + kept + " are kept and "
                    + (sum - kept) + " dropped");
        }
    }
}
