package io.millrace.jobs.swebench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The official `report.json` of an instance whose tests were started.
///
/// @param tests null if the log tells of no run
/// @param sign why it may not; only where it does not
record InstanceReport(String instanceId, @Nullable TestsReport tests, Optional<FailureSign> sign) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static InstanceReport of(Instance instance, String log, LogParser parser) {
        Map<String, TestStatus> tests = TestLog.read(log, parser);
        return tests == null
                ? new InstanceReport(instance.id(), null, FailureSign.in(log))
                : new InstanceReport(instance.id(), TestsReport.of(instance, tests), Optional.empty());
    }

    boolean resolved() {
        return tests != null && tests.resolved();
    }

    ObjectNode toJson() {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode report = root.putObject(instanceId);
        report.put("patch_is_None", false);
        report.put("patch_exists", true);
        // as the official report has it, this is only said where the log tells of a run
        report.put("patch_successfully_applied", tests != null);
        report.put("resolved", resolved());
        report.put("infra_failure", sign.filter(FailureSign::environment).isPresent());
        sign.ifPresent(found -> report.put("infra_failure_reason", found.reason()));
        if (tests != null) {
            ObjectNode status = report.putObject("tests_status");
            put(status, "FAIL_TO_PASS", tests.failToPass());
            put(status, "PASS_TO_PASS", tests.passToPass());
            put(status, "FAIL_TO_FAIL", new TestsReport.Outcome(List.of(), List.of()));
            put(status, "PASS_TO_FAIL", new TestsReport.Outcome(List.of(), List.of()));
        }
        return root;
    }

    private static void put(ObjectNode status, String name, TestsReport.Outcome outcome) {
        ObjectNode node = status.putObject(name);
        node.set("success", JSON.valueToTree(outcome.success()));
        node.set("failure", JSON.valueToTree(outcome.failure()));
    }
}
