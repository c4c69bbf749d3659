package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What two jobs found about the same things: documents of tasks, programs of tasks, instances of
/// SWE-bench.
final class JobPairs {
    private static final int CHANGES = 30;
    private static final String SAMPLES = "samples_";

    private final long seed;

    /// @param seed of the resamples
    JobPairs(long seed) {
        this.seed = seed;
    }

    /// What a job found about a thing.
    ///
    /// @param figures by name
    /// @param beside what the answer was compared with; null for nothing
    private record Found(
            Map<String, Double> figures,
            String status,
            @Nullable String answer,
            @Nullable String beside) {}

    /// One for each kind of things that both have found something about.
    List<Comparison> compare(RunFolder a, RunFolder b) {
        List<Comparison> all = new ArrayList<>();
        SortedMap<String, SortedMap<String, Found>> tasksA = evaluated(a);
        SortedMap<String, SortedMap<String, Found>> tasksB = evaluated(b);
        tasksA.forEach((task, found) ->
                add(all, "Task " + task, "document and prompt", found, tasksB.getOrDefault(task, new TreeMap<>())));
        add(all, "Programs", "task and place among its programs", programs(a), programs(b));
        add(all, "SWE-bench", "instance", instances(a), instances(b));
        return all;
    }

    /// By task and filter, then by document: the newest files of samples.
    private static SortedMap<String, SortedMap<String, Found>> evaluated(RunFolder output) {
        SortedMap<String, SortedMap<String, Found>> tasks = new TreeMap<>();
        String results = EvaluationPart.newest(output, "results_", ".json");
        if (results == null) {
            return tasks;
        }
        String folder = results.substring(0, results.indexOf('/'));
        String end =
                results.substring(results.indexOf("results_") + "results".length(), results.length() - 5) + ".jsonl";
        for (String name : output.names(folder)) {
            if (name.startsWith(SAMPLES) && name.endsWith(end)) {
                String task = name.substring(SAMPLES.length(), name.length() - end.length());
                output.forEachLine(
                        folder + "/" + name,
                        sample -> tasks.computeIfAbsent(
                                        task + ", " + sample.path("filter").asText(), _ -> new TreeMap<>())
                                .put(
                                        sample.path("doc_hash").asText() + "/"
                                                + sample.path("doc_id").asText(),
                                        found(sample)));
            }
        }
        return tasks;
    }

    private static Found found(JsonNode sample) {
        Map<String, Double> figures = new LinkedHashMap<>();
        for (JsonNode metric : sample.path("metrics")) {
            JsonNode value = sample.path(metric.asText());
            if (value.isNumber() || value.isBoolean()) {
                figures.put(metric.asText(), value.isBoolean() ? (value.asBoolean() ? 1.0 : 0.0) : value.asDouble());
            }
        }
        return new Found(
                figures,
                figures.toString(),
                sample.path("filtered_resps").toString(),
                sample.path("target").asText());
    }

    private static SortedMap<String, Found> programs(RunFolder output) {
        SortedMap<String, Found> programs = new TreeMap<>();
        Map<String, Integer> places = new HashMap<>();
        output.forEachLine(CodePart.RESULTS, sample -> {
            String task = sample.path("task_id").asText();
            int place = places.merge(task, 1, Integer::sum) - 1;
            programs.put(
                    task + "/" + place,
                    new Found(
                            Map.of("passed", sample.path("passed").asBoolean() ? 1.0 : 0.0),
                            Texts.shown(sample.path("result").asText(), 120),
                            sample.path("solution").asText(),
                            null));
        });
        return programs;
    }

    private static SortedMap<String, Found> instances(RunFolder output) {
        SortedMap<String, Found> instances = new TreeMap<>();
        for (String report : SwebenchPart.reports(output)) {
            SwebenchPart.outcomes(output.json(report))
                    .forEach((instance, outcome) -> instances.put(
                            instance,
                            new Found(
                                    Map.of("resolved", outcome.equals("resolved") ? 1.0 : 0.0), outcome, null, null)));
        }
        return instances;
    }

    private void add(
            List<Comparison> all, String title, String by, SortedMap<String, Found> a, SortedMap<String, Found> b) {
        List<String> names = new ArrayList<>(new TreeSet<>(a.values().stream()
                .flatMap(found -> found.figures().keySet().stream())
                .toList()));
        Paired figures = new Paired(names, seed);
        List<Comparison.Change> changes = new ArrayList<>();
        long pairs = 0;
        long changed = 0;
        for (Map.Entry<String, Found> entry : a.entrySet()) {
            Found other = b.get(entry.getKey());
            if (other == null) {
                continue;
            }
            pairs++;
            Found one = entry.getValue();
            figures.add(entry.getKey().hashCode(), values(one, names), values(other, names));
            if (!one.status().equals(other.status())) {
                changed++;
                if (changes.size() < CHANGES) {
                    changes.add(new Comparison.Change(
                            entry.getKey(), one.status(), other.status(), one.answer(), other.answer(), one.beside()));
                }
            }
        }
        if (pairs > 0) {
            all.add(new Comparison(
                    title, by, pairs, a.size() - pairs, b.size() - pairs, changed, figures.lines(), changes));
        }
    }

    private static double[] values(Found found, List<String> names) {
        return names.stream()
                .mapToDouble(name -> found.figures().getOrDefault(name, Double.NaN))
                .toArray();
    }
}
