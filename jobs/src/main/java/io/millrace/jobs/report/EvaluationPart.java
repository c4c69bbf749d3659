package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jsoup.nodes.Element;
import org.jspecify.annotations.Nullable;

/// Scores by task and group, from the newest `results_*.json`.
final class EvaluationPart implements JobPart {
    private static final double Z95 = 1.96;
    private static final int MOST = 500;

    @Override
    public void write(RunFolder output, Page page) {
        String file = newest(output, "results_", ".json");
        if (file == null) {
            return;
        }
        JsonNode results = output.json(file);
        Element section = page.section("evaluation", "Scores");
        section.appendElement("p")
                .text("From " + Texts.shown(file) + ". The interval is 1.96 standard errors to both sides.");
        Table table = Table.in(
                section, "", "task", "metric", "filter", "#documents", "#shots", "#value", "#95 % interval", "");
        Set<String> groups = new HashSet<>();
        results.path("group_subtasks").fieldNames().forEachRemaining(groups::add);
        List<Map.Entry<String, JsonNode>> entries =
                new ArrayList<>(results.path("results").properties());
        // groups first
        entries.sort((a, b) -> Boolean.compare(groups.contains(b.getKey()), groups.contains(a.getKey())));
        for (Map.Entry<String, JsonNode> entry : entries.subList(0, Math.min(MOST, entries.size()))) {
            figures(table, entry.getKey(), groups.contains(entry.getKey()), entry.getValue(), results);
        }
        if (entries.size() > MOST) {
            section.appendElement("p").addClass("soft").text("and " + (entries.size() - MOST) + " further tasks");
        }
    }

    /// The last file of a name in the folders of an output, by name, which ends with its time.
    static @Nullable String newest(RunFolder output, String prefix, String suffix) {
        String newest = null;
        for (String folder : output.names("")) {
            for (String name : folder.startsWith("_") ? List.<String>of() : names(output, folder)) {
                boolean isLater = newest == null || name.compareTo(newest.substring(newest.indexOf('/') + 1)) > 0;
                if (name.startsWith(prefix) && name.endsWith(suffix) && isLater) {
                    newest = folder + "/" + name;
                }
            }
        }
        return newest;
    }

    private static List<String> names(RunFolder output, String folder) {
        return folder.endsWith(".parquet") ? List.of() : output.names(folder);
    }

    private static void figures(Table table, String task, boolean group, JsonNode entry, JsonNode results) {
        for (Map.Entry<String, JsonNode> figure : entry.properties()) {
            String[] words = figure.getKey().split(",", 2);
            if (words.length < 2
                    || words[0].endsWith("_stderr")
                    || !figure.getValue().isNumber()) {
                continue;
            }
            double value = figure.getValue().asDouble();
            JsonNode error = entry.path(words[0] + "_stderr," + words[1]);
            Element line = table.row(
                    Texts.shown((group ? "all of " : "")
                            + entry.path("alias").asText(task).strip()),
                    Texts.shown(words[0]),
                    Texts.shown(words[1]),
                    Numbers.count(entry.path("sample_len").asLong()),
                    results.path("n-shot").path(task).asText(Numbers.NONE),
                    String.format(Locale.ROOT, "%.4f", value),
                    error.isNumber() ? interval(value, error.asDouble()) : Numbers.NONE,
                    "");
            if (value >= 0 && value <= 1) {
                RunParts.meter(line, value);
            }
        }
    }

    private static String interval(double value, double error) {
        return String.format(Locale.ROOT, "[%.4f, %.4f]", value - Z95 * error, value + Z95 * error);
    }
}
