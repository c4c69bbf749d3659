package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.swebench.Grade.Outcome;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RunReportTest {
    private final SortedMap<String, Grade> grades = new TreeMap<>();

    private void grade(String id, Outcome outcome, @Nullable FailureSign sign) {
        grades.put(id, new Grade(id, "f", outcome, sign, null, 1));
    }

    @Test
    void toJson_everyKindOfEnd_officialKeysAndWholeDataset() {
        grade("resolved", Outcome.RESOLVED, null);
        grade("unresolved", Outcome.UNRESOLVED, null);
        grade("unsure", Outcome.UNRESOLVED, new FailureSign("missing_module", false));
        grade("unfitting", Outcome.ERROR, null);
        grade("unbuilt", Outcome.ENVIRONMENT, new FailureSign("build_failed", true));
        TreeSet<String> submitted = new TreeSet<>(grades.keySet());
        submitted.addAll(List.of("empty", "lost"));
        TreeSet<String> dataset = new TreeSet<>(submitted);
        dataset.add("absent");

        ObjectNode report = new RunReport(dataset, submitted, new TreeSet<>(List.of("empty")), grades).toJson();

        // the keys of harness 5.0.1's make_run_report, without a client
        assertThat(report.fieldNames())
                .toIterable()
                .containsExactly(
                        "total_instances",
                        "submitted_instances",
                        "completed_instances",
                        "resolved_instances",
                        "unresolved_instances",
                        "infra_failure_instances",
                        "ambiguous_failure_instances",
                        "empty_patch_instances",
                        "error_instances",
                        "completed_ids",
                        "incomplete_ids",
                        "empty_patch_ids",
                        "submitted_ids",
                        "resolved_ids",
                        "unresolved_ids",
                        "infra_failure_ids",
                        "ambiguous_failure_ids",
                        "failure_reasons",
                        "error_ids",
                        "schema_version");
        assertThat(report.get("total_instances").asInt()).isEqualTo(8);
        assertThat(report.get("submitted_instances").asInt()).isEqualTo(7);
        assertThat(report.get("resolved_ids").toString()).isEqualTo("[\"resolved\"]");
        assertThat(report.get("unresolved_ids").toString()).isEqualTo("[\"unresolved\",\"unsure\"]");
        assertThat(report.get("completed_instances").asInt()).isEqualTo(3);
        assertThat(report.get("error_ids").toString()).isEqualTo("[\"lost\",\"unbuilt\",\"unfitting\"]");
        assertThat(report.get("empty_patch_ids").toString()).isEqualTo("[\"empty\"]");
        assertThat(report.get("incomplete_ids").toString()).isEqualTo("[\"absent\"]");
        assertThat(report.get("infra_failure_ids").toString()).isEqualTo("[\"unbuilt\"]");
        assertThat(report.get("ambiguous_failure_ids").toString()).isEqualTo("[\"unsure\"]");
        assertThat(report.get("failure_reasons").toString())
                .isEqualTo("{\"unbuilt\":\"build_failed\",\"unsure\":\"missing_module\"}");
        assertThat(report.get("schema_version").asInt()).isEqualTo(2);
    }
}
