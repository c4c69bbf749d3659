package io.millrace.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.shard.RowSummary;
import io.millrace.udf.shard.Shard;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// What all committed rows of a run are, added up from what the shards' footers say, never from what a plan
/// would say. Kept per input file; of a shard no more than a line in a file remains.
final class RunTotals {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SortedMap<String, RowSummary> byFile = new TreeMap<>();
    private RowSummary all = RowSummary.NONE;

    private RunTotals() {}

    /// Reads every shard of the plan, and writes a line for each beside the output.
    ///
    /// @throws io.millrace.udf.shard.ShardException if one is missing or damaged
    static RunTotals read(ShardSummaries summaries, CompletionSink sink, InputPlan plan, String fingerprint) {
        RunTotals totals = new RunTotals();
        sink.writeAside(
                CompletionSink.SHARDS,
                out -> summaries.forEach(plan, _ -> true, (shard, summary) -> {
                    totals.add(shard.file().name(), summary);
                    write(shard, shard.outputName(fingerprint), summary, out);
                }));
        return totals;
    }

    private void add(String file, RowSummary summary) {
        byFile.merge(file, summary, RowSummary::plus);
        all = all.plus(summary);
    }

    private static void write(Shard shard, String name, RowSummary summary, OutputStream out) {
        ObjectNode line = JSON.createObjectNode();
        line.put("file", name)
                .put("input", shard.file().name())
                .put("row_group", shard.block())
                .put("first_row", shard.firstRow())
                .put("input_rows", shard.rows())
                .put("digest", summary.digest())
                .set("counts", JSON.valueToTree(summary.states()));
        try {
            out.write(JSON.writeValueAsBytes(line));
            out.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(CompletionSink.SHARDS, e);
        }
    }

    RowSummary all() {
        return all;
    }

    /// Input file, as rows name it, to its rows.
    SortedMap<String, RowSummary> byFile() {
        return Collections.unmodifiableSortedMap(byFile);
    }

    /// @throws JobException unless every file has an output row for each row that was planned, and sample
    void requireConserved(InputPlan plan, int samples) {
        plan.rowsByFile().forEach((file, rows) -> {
            long found = byFile.getOrDefault(file, RowSummary.NONE).rows();
            if (found != rows * samples) {
                throw new JobException(
                        "rows of " + file + ": expected " + rows * samples + " as planned, got " + found);
            }
        });
    }
}
