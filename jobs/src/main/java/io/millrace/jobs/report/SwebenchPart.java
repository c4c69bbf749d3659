package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jsoup.nodes.Element;

/// Grades of SWE-bench: a line for each instance of the data set, with links to its logs.
final class SwebenchPart implements JobPart {
    private static final String LOGS = "logs/run_evaluation";
    private static final int MOST = 3000;
    private static final List<String> FILES =
            List.of("run_instance.log", "test_output.txt", "patch.diff", "report.json");
    /// Keys of the official report, the last that names an instance says what became of it.
    private static final Map<String, String> OUTCOMES = outcomes();

    private final Links links;

    SwebenchPart(Links links) {
        this.links = links;
    }

    private static Map<String, String> outcomes() {
        Map<String, String> outcomes = new LinkedHashMap<>();
        outcomes.put("incomplete_ids", "no prediction");
        outcomes.put("empty_patch_ids", "empty patch");
        outcomes.put("unresolved_ids", "unresolved");
        outcomes.put("error_ids", "error");
        outcomes.put("infra_failure_ids", "error of the environment");
        outcomes.put("resolved_ids", "resolved");
        return outcomes;
    }

    @Override
    public void write(RunFolder output, Page page) {
        List<String> reports = reports(output);
        for (int report = 0; report < reports.size(); report++) {
            String id = report == 0 ? "swebench" : "swebench-" + (report + 1);
            write(page.section(id, "SWE-bench"), reports.get(report), output);
        }
    }

    /// Names of the official reports in an output.
    static List<String> reports(RunFolder output) {
        List<String> reports = new ArrayList<>();
        for (String name : output.names("")) {
            if (name.endsWith(".json") && output.json(name).path("resolved_ids").isArray()) {
                reports.add(name);
            }
        }
        return reports;
    }

    /// Instance to outcome, by the official report.
    static Map<String, String> outcomes(JsonNode report) {
        Map<String, String> instances = new TreeMap<>();
        OUTCOMES.forEach((key, outcome) -> report.path(key).forEach(id -> instances.put(id.asText(), outcome)));
        return instances;
    }

    private void write(Element section, String file, RunFolder output) {
        JsonNode report = output.json(file);
        Map<String, String> instances = outcomes(report);
        long total = report.path("total_instances").asLong(instances.size());
        long resolved = report.path("resolved_instances").asLong();
        section.appendElement("p")
                .text(String.format(
                        Locale.ROOT,
                        "%s: %,d of %,d instances resolved, %s. Every instance of the data set counts, whatever became of"
                                + " it.",
                        Texts.shown(file),
                        resolved,
                        total,
                        Numbers.percent((double) resolved / total)));
        Map<String, Long> counts = new LinkedHashMap<>();
        OUTCOMES.values().forEach(outcome -> counts.put(outcome, 0L));
        instances.values().forEach(outcome -> counts.merge(outcome, 1L, Long::sum));
        Table sums = Table.in(section, "", "", "#instances");
        counts.forEach((outcome, count) -> sums.row(outcome, Numbers.count(count)));
        Map<String, String> folders = folders(output, file);
        Table table = Table.in(section, "", "instance", "outcome", "#tests, s", "why", "logs");
        instances.entrySet().stream().limit(MOST).forEach(instance -> {
            String folder = folders.get(instance.getKey());
            JsonNode grade =
                    folder == null ? report.path("failure_reasons").path("none") : output.json(folder + "/grade.json");
            Element line = table.row(
                    Texts.shown(instance.getKey()),
                    instance.getValue(),
                    grade.path("seconds").isNumber()
                            ? Numbers.plain(grade.path("seconds").asDouble())
                            : Numbers.NONE,
                    Texts.shown(grade.path("message")
                            .asText(report.path("failure_reasons")
                                    .path(instance.getKey())
                                    .asText(""))),
                    "");
            line.child(1).addClass(instance.getValue().equals("resolved") ? "good" : "bad");
            if (folder != null) {
                List<String> there = output.names(folder);
                FILES.stream()
                        .filter(there::contains)
                        .forEach(log -> links.add(line.child(4), folder + "/" + log, log));
            }
        });
    }

    /// Instance to its folder of logs. The report's name is that of the model and of the run.
    private static Map<String, String> folders(RunFolder output, String report) {
        Map<String, String> folders = new HashMap<>();
        for (String run : output.names(LOGS)) {
            String end = "." + run + ".json";
            if (report.endsWith(end)) {
                String folder = LOGS + "/" + run + "/" + report.substring(0, report.length() - end.length());
                output.names(folder).forEach(instance -> folders.put(instance, folder + "/" + instance));
            }
        }
        return folders;
    }
}
