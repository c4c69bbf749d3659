package io.millrace.jobs;

import io.millrace.udf.shard.RowSummary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The end of a run, for a person.
final class SummaryTable {
    private final List<String[]> lines = new ArrayList<>();

    private SummaryTable() {}

    /// @param rowsBefore rows of the plan that were there before this start; with any, or with rows
    ///     that were retried, times say nothing of the whole, so no rates are shown
    static SummaryTable of(long plannedRows, long rowsBefore, RowSummary rows, Duration generation) {
        SummaryTable table = new SummaryTable();
        double seconds = rowsBefore > 0 || rows.retried() > 0 ? 0 : Math.max(generation.toMillis() / 1000.0, 0.001);
        table.line("rows in", number(plannedRows));
        if (rowsBefore > 0) {
            table.line("rows before", number(rowsBefore));
        }
        table.line("rows ok", number(rows.state("ok")));
        table.line("rows error", number(rows.state("error")) + codes(rows.errors()));
        if (rows.state("skipped") > 0) {
            table.line("rows skipped", number(rows.state("skipped")));
        }
        table.line("prompt tokens", tokens(rows.promptTokens(), seconds));
        table.line("completion tokens", tokens(rows.completionTokens(), seconds));
        table.line("generation", Progress.clock(generation.toSeconds()));
        if (rows.scored() > 0) {
            table.line(
                    "ROUGE-1 / 2 / L",
                    String.format(
                            Locale.ROOT,
                            "%.2f / %.2f / %.2f",
                            100 * rows.rouge1() / rows.scored(),
                            100 * rows.rouge2() / rows.scored(),
                            100 * rows.rougeL() / rows.scored()));
        }
        return table;
    }

    private static String codes(Map<String, Long> errors) {
        if (errors.isEmpty()) {
            return "";
        }
        List<String> codes = errors.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
                .map(error -> error.getKey() + " " + error.getValue())
                .toList();
        return "  (" + String.join(", ", codes) + ")";
    }

    private static String tokens(long tokens, double seconds) {
        return number(tokens) + (seconds > 0 ? String.format(Locale.ROOT, "  (%.0f tok/s)", tokens / seconds) : "");
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// What the gate has set aside, and what became of it.
    ///
    /// @param retried rows that were set aside and computed again
    /// @param recovered how many of them are not set aside any more
    SummaryTable quarantine(long quarantined, long retried, long recovered) {
        if (quarantined > 0 || retried > 0) {
            line("rows quarantined", number(quarantined));
        }
        if (retried > 0) {
            line("rows retried", number(retried) + "  (" + number(recovered) + " recovered)");
        }
        return this;
    }

    SummaryTable line(String name, String value) {
        lines.add(new String[] {name, value});
        return this;
    }

    @Override
    public String toString() {
        int width = lines.stream().mapToInt(line -> line[0].length()).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (String[] line : lines) {
            text.append(line[0])
                    .repeat(' ', width - line[0].length() + 2)
                    .append(line[1])
                    .append('\n');
        }
        return text.toString();
    }
}
