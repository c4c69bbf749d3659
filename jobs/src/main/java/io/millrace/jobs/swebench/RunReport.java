package io.millrace.jobs.swebench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/// The official report of a run, schema version 2 (harness v5): a score is resolved instances over all
/// instances of the dataset, whatever happened to them.
///
/// An instance is in one of: incomplete (no prediction), empty, resolved, unresolved, error. Failures
/// of the environment are errors that are named beside; they lessen no count.
///
/// @param submitted all instances with a prediction
/// @param grades of those that have one and are not empty; one that is not there is an error
record RunReport(
        SortedSet<String> dataset,
        SortedSet<String> submitted,
        SortedSet<String> empty,
        SortedMap<String, Grade> grades) {
    static final int SCHEMA_VERSION = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    private NavigableSet<String> graded(Predicate<Grade> wanted) {
        NavigableSet<String> found = new TreeSet<>();
        grades.values().stream().filter(wanted).map(Grade::instanceId).forEach(found::add);
        return found;
    }

    SortedSet<String> resolved() {
        return graded(grade -> grade.outcome() == Grade.Outcome.RESOLVED);
    }

    SortedSet<String> unresolved() {
        return graded(grade -> grade.outcome() == Grade.Outcome.UNRESOLVED);
    }

    SortedSet<String> error() {
        SortedSet<String> error = new TreeSet<>(submitted);
        error.removeAll(empty);
        error.removeAll(resolved());
        error.removeAll(unresolved());
        return error;
    }

    SortedSet<String> incomplete() {
        SortedSet<String> incomplete = new TreeSet<>(dataset);
        incomplete.removeAll(submitted);
        return incomplete;
    }

    /// Failures of the environment: those that were found when it was made ready, and those that a log
    /// shows.
    SortedSet<String> environment() {
        return graded(grade -> grade.sign() != null && grade.sign().environment());
    }

    private SortedSet<String> ambiguous() {
        return graded(grade -> grade.sign() != null && !grade.sign().environment());
    }

    private Map<String, String> reasons() {
        Map<String, String> reasons = new TreeMap<>();
        for (Grade grade : grades.values()) {
            if (grade.sign() != null) {
                reasons.put(grade.instanceId(), grade.sign().reason());
            }
        }
        return reasons;
    }

    ObjectNode toJson() {
        SortedSet<String> completed = new TreeSet<>(resolved());
        completed.addAll(unresolved());
        ObjectNode report = JSON.createObjectNode();
        report.put("total_instances", dataset.size());
        report.put("submitted_instances", submitted.size());
        report.put("completed_instances", completed.size());
        report.put("resolved_instances", resolved().size());
        report.put("unresolved_instances", unresolved().size());
        report.put("infra_failure_instances", environment().size());
        report.put("ambiguous_failure_instances", ambiguous().size());
        report.put("empty_patch_instances", empty.size());
        report.put("error_instances", error().size());
        report.set("completed_ids", JSON.valueToTree(completed));
        report.set("incomplete_ids", JSON.valueToTree(incomplete()));
        report.set("empty_patch_ids", JSON.valueToTree(empty));
        report.set("submitted_ids", JSON.valueToTree(submitted));
        report.set("resolved_ids", JSON.valueToTree(resolved()));
        report.set("unresolved_ids", JSON.valueToTree(unresolved()));
        report.set("infra_failure_ids", JSON.valueToTree(environment()));
        report.set("ambiguous_failure_ids", JSON.valueToTree(ambiguous()));
        report.set("failure_reasons", JSON.valueToTree(reasons()));
        report.set("error_ids", JSON.valueToTree(error()));
        report.put("schema_version", SCHEMA_VERSION);
        return report;
    }
}
