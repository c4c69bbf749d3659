package io.millrace.jobs.evaluate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Figures over the tasks of a group, as the harness's `api/group.py` has them: a mean weighted by
/// documents with a pooled error, or of the tasks' figures with the error of that.
final class GroupScore {

    private GroupScore() {}

    /// As it stands in the file of results.
    static Map<String, @Nullable Object> entry(TaskGroup group, Map<String, TaskScore> scores) {
        Map<String, @Nullable Object> entry = new LinkedHashMap<>();
        entry.put("alias", group.alias() == null ? group.name() : group.alias());
        entry.put("name", group.name());
        if (group.overall().isEmpty()) {
            return entry;
        }
        List<TaskScore> leaves = new ArrayList<>();
        for (String leaf : group.leaves()) {
            TaskScore score = scores.get(leaf);
            if (score != null) {
                leaves.add(score);
            }
        }
        entry.put("sample_len", leaves.stream().mapToLong(TaskScore::documents).sum());
        Map<String, @Nullable Object> counts = new LinkedHashMap<>();
        for (TaskGroup.Overall overall : group.overall()) {
            for (String filter : filters(overall, leaves)) {
                add(entry, counts, overall, filter, leaves);
            }
        }
        if (!counts.isEmpty()) {
            entry.put("sample_count", counts);
        }
        return entry;
    }

    private static Iterable<String> filters(TaskGroup.Overall overall, List<TaskScore> leaves) {
        if (overall.filters() != null) {
            return overall.filters();
        }
        TreeSet<String> found = new TreeSet<>();
        String prefix = overall.metric() + ",";
        leaves.forEach(leaf -> leaf.metrics().keySet().stream()
                .filter(key -> key.startsWith(prefix))
                .forEach(key -> found.add(key.substring(prefix.length()))));
        return found;
    }

    private static void add(
            Map<String, @Nullable Object> entry,
            Map<String, @Nullable Object> counts,
            TaskGroup.Overall overall,
            String filter,
            List<TaskScore> leaves) {
        String key = overall.metric() + "," + filter;
        String errorKey = overall.metric() + "_stderr," + filter;
        double weighted = 0;
        double weights = 0;
        double squares = 0;
        long size = 0;
        int tasks = 0;
        boolean errors = true;
        for (TaskScore leaf : leaves) {
            if (!(leaf.metrics().get(key) instanceof Double value)) {
                continue;
            }
            double documents = leaf.documents();
            double weight = overall.bySize() ? documents : 1;
            weighted += value * weight;
            weights += weight;
            size += leaf.documents();
            tasks++;
            if (leaf.metrics().get(errorKey) instanceof Double error) {
                squares += error * error * (overall.bySize() ? (documents - 1) * documents : 1);
            } else {
                errors = false;
            }
        }
        if (tasks == 0) {
            return;
        }
        entry.put(key, weighted / weights);
        counts.put(key, size);
        double error = overall.bySize() ? Math.sqrt(squares / (size - tasks) / size) : Math.sqrt(squares) / tasks;
        entry.put(errorKey, errors ? (Object) error : "N/A");
    }
}
