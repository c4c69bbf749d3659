package io.millrace.jobs.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What became of every row, step by step.
record Funnel(List<StepCounts> steps) {

    Funnel {
        steps = List.copyOf(steps);
    }

    /// Lines of name, rows in, made, kept, and dropped by reason, a heading first.
    private List<List<String>> cells() {
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("step", "in", "made", "kept", "dropped"));
        for (StepCounts step : steps) {
            cells.add(List.of(
                    step.name(), number(step.in()), number(step.made()), number(step.kept()), reasons(step.dropped())));
        }
        return cells;
    }

    private static String reasons(Map<String, Long> dropped) {
        return String.join(
                ", ",
                dropped.entrySet().stream()
                        .map(reason -> reason.getKey() + " " + number(reason.getValue()))
                        .toList());
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// For a terminal.
    String text() {
        List<List<String>> cells = cells();
        StringBuilder text = new StringBuilder();
        for (List<String> line : cells) {
            for (int column = 0; column < line.size(); column++) {
                int at = column;
                int width = cells.stream()
                        .mapToInt(other -> other.get(at).length())
                        .max()
                        .orElse(0);
                String padding = " ".repeat(width - line.get(column).length());
                boolean isNumber = column > 0 && column < line.size() - 1;
                text.append(isNumber ? padding + line.get(column) : line.get(column));
                text.append(column == line.size() - 1 ? "" : isNumber ? "  " : padding + "  ");
            }
            text.setLength(text.toString().stripTrailing().length());
            text.append('\n');
        }
        return text.toString();
    }

    /// For the card.
    String markdown() {
        StringBuilder text = new StringBuilder();
        List<List<String>> cells = cells();
        for (List<String> line : cells) {
            text.append("| ").append(String.join(" | ", line)).append(" |\n");
            if (text.indexOf("\n") == text.length() - 1) {
                text.append("|---|--:|--:|--:|---|\n");
            }
        }
        return text.toString();
    }
}
