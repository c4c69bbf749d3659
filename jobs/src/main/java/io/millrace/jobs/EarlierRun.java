package io.millrace.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.RunFingerprint.Difference;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A run that an output directory holds, finished or not.
///
/// @param manifest as it was written last
/// @param plan its input
record EarlierRun(ObjectNode manifest, InputPlan plan) {

    /// The run of a directory; null if there is none.
    ///
    /// @throws JobException if it was written by another version of the manifest
    static @Nullable EarlierRun read(CompletionSink sink) {
        ObjectNode manifest = sink.readAside(CompletionSink.MANIFEST, ObjectNode.class);
        InputPlan plan = sink.readAside(CompletionSink.PLAN, InputPlan.class);
        if (manifest == null) {
            return null;
        }
        String schema = manifest.path("schema").asText();
        if (!schema.equals(RunManifest.SCHEMA) || plan == null) {
            throw new JobException(sink.aside(CompletionSink.MANIFEST) + ": expected " + RunManifest.SCHEMA
                    + " with a plan beside it, got " + schema + "; choose another --output");
        }
        return new EarlierRun(manifest, plan);
    }

    String runId() {
        return manifest.path("run_id").asText();
    }

    RunFingerprint fingerprint() {
        SortedMap<String, String> fields = new TreeMap<>();
        for (var field : manifest.path("fingerprint").properties()) {
            fields.put(field.getKey(), field.getValue().asText());
        }
        return new RunFingerprint(fields);
    }

    /// What makes another run of this one.
    List<Difference> differences(InputPlan nowPlan, RunFingerprint now) {
        List<Difference> differences = new ArrayList<>(fingerprint().to(now));
        differences.addAll(Difference.ofInputs(plan, nowPlan));
        return differences;
    }

    /// A value of the manifest, for messages.
    JsonNode value(String key) {
        return manifest.path(key);
    }
}
