package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jsoup.nodes.Element;

/// pass@k of programs that a model wrote, and each task's programs, from `summary.json` and the file of
/// results beside it.
final class CodePart implements JobPart {
    private static final int MOST = 500;
    /// A line for each program, with what became of it.
    static final String RESULTS = "samples.jsonl_results.jsonl";

    /// How the programs of a task ended.
    private static final class Task {
        private long samples;
        private long passed;
        private final Map<String, Long> results = new TreeMap<>();
    }

    @Override
    public void write(RunFolder output, Page page) {
        JsonNode summary = output.json("summary.json");
        if (!summary.path("pass_at_k").isObject()) {
            return;
        }
        Element section = page.section("code", "Programs");
        Table facts = Table.in(section, "", "", "");
        summary.properties().forEach(fact -> {
            if (fact.getValue().isValueNode()) {
                facts.row(
                        Texts.shown(fact.getKey()), Texts.shown(fact.getValue().asText()));
            }
        });
        Table passed = Table.in(section, "Mean over the tasks, unbiased", "", "#value", "");
        summary.path("pass_at_k").properties().forEach(entry -> {
            double value = entry.getValue().asDouble();
            Element line = passed.row(Texts.shown(entry.getKey()), String.format(Locale.ROOT, "%.4f", value), "");
            RunParts.meter(line, value);
        });
        Table ends = Table.in(section, "How the programs ended", "", "#programs");
        summary.path("results")
                .properties()
                .forEach(end -> ends.row(
                        Texts.shown(end.getKey()), Numbers.count(end.getValue().asLong())));
        tasks(section, output);
    }

    private static void tasks(Element section, RunFolder output) {
        Map<String, Task> tasks = new LinkedHashMap<>();
        output.forEachLine(RESULTS, sample -> {
            Task task = tasks.computeIfAbsent(sample.path("task_id").asText(), _ -> new Task());
            task.samples++;
            task.passed += sample.path("passed").asBoolean() ? 1 : 0;
            task.results.merge(Texts.shown(sample.path("result").asText(), 120), 1L, Long::sum);
        });
        Table table = Table.in(
                Page.details(section, Numbers.count(tasks.size()) + " tasks"),
                "",
                "task",
                "#programs",
                "#passed",
                "how they ended");
        tasks.entrySet().stream()
                .limit(MOST)
                .forEach(task -> table.row(
                        Texts.shown(task.getKey()),
                        Numbers.count(task.getValue().samples),
                        Numbers.count(task.getValue().passed),
                        Texts.shown(String.join("; ", task.getValue().results.keySet()))));
    }
}
