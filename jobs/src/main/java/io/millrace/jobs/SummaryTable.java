package io.millrace.jobs;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The end of a run, for a person.
final class SummaryTable {
    private final List<String[]> lines = new ArrayList<>();

    private SummaryTable() {}

    static SummaryTable of(long plannedRows, Outcome outcome, Duration generation) {
        SummaryTable table = new SummaryTable();
        double seconds = Math.max(generation.toMillis() / 1000.0, 0.001);
        table.line("rows in", number(plannedRows));
        table.line("rows ok", number(outcome.rowsOk()));
        table.line("rows error", number(outcome.rowsError()) + codes(outcome.errors()));
        table.line("prompt tokens", tokens(outcome.promptTokens(), seconds));
        table.line("completion tokens", tokens(outcome.completionTokens(), seconds));
        table.line("generation", Progress.clock(Math.round(seconds)));
        if (outcome.rouge1() != null && outcome.rouge2() != null && outcome.rougeL() != null) {
            table.line(
                    "ROUGE-1 / 2 / L",
                    String.format(
                            Locale.ROOT,
                            "%.2f / %.2f / %.2f",
                            100 * outcome.rouge1(),
                            100 * outcome.rouge2(),
                            100 * outcome.rougeL()));
        }
        return table;
    }

    private static String codes(Map<String, Long> errors) {
        if (errors.isEmpty()) {
            return "";
        }
        List<String> codes = new ArrayList<>();
        errors.forEach((code, rows) -> codes.add(code + " " + rows));
        return "  (" + String.join(", ", codes) + ")";
    }

    private static String tokens(long tokens, double seconds) {
        return number(tokens) + String.format(Locale.ROOT, "  (%.0f tok/s)", tokens / seconds);
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
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
