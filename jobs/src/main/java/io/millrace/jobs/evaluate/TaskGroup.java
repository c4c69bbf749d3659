package io.millrace.jobs.evaluate;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Tasks under one name, with figures over all of them.
///
/// @param members tasks and groups directly in it
/// @param leaves tasks in it and in the groups in it
record TaskGroup(
        String name,
        @Nullable String alias,
        String version,
        List<String> members,
        List<String> leaves,
        List<Overall> overall) {
    static final Set<String> KEYS = Set.of("group", "group_alias", "task", "aggregate_metric_list", "metadata", "tag");

    /// A figure over the tasks.
    ///
    /// @param filters null for every filter that a task has the metric for
    /// @param bySize whether a task counts by its documents
    record Overall(String metric, @Nullable List<String> filters, boolean bySize) {}

    static TaskGroup of(String name, Keys keys, List<String> members, List<String> leaves) {
        Object version = keys.mapping("metadata").value("version");
        return new TaskGroup(
                name,
                keys.text("group_alias"),
                version == null ? "N/A" : String.valueOf(version),
                members,
                leaves,
                keys.mappings("aggregate_metric_list").stream()
                        .map(TaskGroup::overall)
                        .toList());
    }

    private static Overall overall(Keys keys) {
        if (!keys.text("aggregation", "mean").equals("mean")) {
            throw keys.wrong("aggregation", "mean", keys.value("aggregation"));
        }
        return new Overall(
                keys.required("metric"),
                keys.has("filter_list") ? keys.texts("filter_list") : null,
                keys.flag("weight_by_size", true));
    }
}
