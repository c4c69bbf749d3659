package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/// What a run was and how far it came: `run.v1`, written anew whenever that changes.
final class RunManifest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode root = JSON.createObjectNode();

    RunManifest(String runId, String fingerprint, Map<String, Object> config, Corpus corpus, JobConfig job) {
        root.put("schema", "run.v1");
        root.put("run_id", runId);
        root.put("config_fingerprint", fingerprint);
        root.put("state", "planned");
        root.put("started_at", now());
        root.putNull("ended_at");
        root.set("config", JSON.valueToTree(config));
        corpus.rowsByFile()
                .forEach((file, rows) ->
                        root.withArray("inputs").addObject().put("file", file).put("rows", rows));
        root.put("samples", job.sampling().samples());
        root.put("planned_rows", corpus.totalRows() * job.sampling().samples());
        ObjectNode engine = root.putObject("engine");
        for (String field : ENGINE_FIELDS) {
            engine.put(field, "unknown");
        }
        engine.put("model", job.engine().modelDir());
        ObjectNode versions = root.putObject("versions");
        versions.put("millrace", Builds.version());
        versions.put("java", Runtime.version().toString());
        versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
        root.put("seed", job.sampling().seed());
        root.putNull("gate");
    }

    private static final String[] ENGINE_FIELDS = {
        "model", "revision", "weights_sha", "quantization", "engine_version", "kernel_ring", "device"
    };

    RunManifest state(String state) {
        root.put("state", state);
        return this;
    }

    RunManifest ended() {
        root.put("ended_at", now());
        return this;
    }

    /// What the committed rows say.
    RunManifest counted(Outcome outcome) {
        ObjectNode counts = root.putObject("counts");
        counts.put("ok", outcome.rowsOk()).put("error", outcome.rowsError());
        root.putObject("tokens")
                .put("prompt", outcome.promptTokens())
                .put("cached", outcome.cachedTokens())
                .put("completion", outcome.completionTokens())
                .put("reasoning", outcome.reasoningTokens());
        outcome.engine().forEach((field, value) -> root.withObject("/engine").put(field, value));
        return this;
    }

    RunManifest gated(String verdict, String verdictFile) {
        root.putObject("gate").put("verdict", verdict).put("verdict_file", verdictFile);
        return this;
    }

    String json() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of JSON nodes is JSON", e);
        }
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    }
}
