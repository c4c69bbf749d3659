package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.RetryPlan;
import io.millrace.udf.shard.RowSummary;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a run was and how far it came: `run.v2`, written anew whenever that changes. A run that goes on
/// after it was stopped keeps its manifest, and adds a start.
final class RunManifest {
    static final String SCHEMA = "run.v2";

    private static final String RETRYING = "running";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode root;
    private final ObjectNode start;

    private RunManifest(ObjectNode root, List<String> command) {
        this.root = root;
        start = root.withArray("starts").addObject();
        start.put("started_at", now());
        start.putNull("ended_at");
        start.set(
                "command", JSON.valueToTree(command.stream().map(Secrets::shown).toList()));
    }

    /// The manifest of a run that begins or goes on.
    ///
    /// @param earlier the manifest of the run so far; null if it begins
    /// @param command the command line, without the program's name
    static RunManifest of(@Nullable ObjectNode earlier, String runId, List<String> command) {
        if (earlier != null) {
            return new RunManifest(earlier, command);
        }
        ObjectNode root = JSON.createObjectNode();
        root.put("schema", SCHEMA);
        root.put("run_id", runId);
        root.put("state", "planned");
        root.put("started_at", now());
        root.putNull("ended_at");
        return new RunManifest(root, command);
    }

    /// What is to be done, as far as it is known before.
    RunManifest planned(JobConfig config, InputPlan plan, RunFingerprint fingerprint, EngineIdentity engine) {
        root.put("config_fingerprint", fingerprint.sha256());
        root.set("fingerprint", JSON.valueToTree(fingerprint.fields()));
        root.set("config", JSON.valueToTree(ConfigFile.groups(config)));
        ArrayNode inputs = root.putArray("inputs");
        for (PlannedFile file : plan.files()) {
            inputs.addObject()
                    .put("file", file.file().name())
                    .put("bytes", file.file().bytes())
                    .put(
                            "modified",
                            Instant.ofEpochMilli(file.file().modifiedMillis()).toString())
                    .put("rows", file.rows());
        }
        int samples = config.sampling().samples();
        root.put("samples", samples);
        root.put("planned_rows", plan.rows() * samples);
        root.put("seed", config.sampling().seed());
        root.putObject("engine")
                .put("model", engine.model())
                .put("revision", engine.revision())
                .put("weights_sha", engine.weightsSha256())
                .put("quantization", engine.quantization())
                .put("engine_version", Builds.version())
                .put("kernel_ring", engine.kernels())
                .put("device", "unknown");
        root.putObject("versions")
                .put("millrace", Builds.version())
                .put("java", Runtime.version().toString())
                .put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION())
                .put("hadoop", org.apache.hadoop.util.VersionInfo.getVersion());
        root.putNull("gate");
        start.put("master", config.sparkMaster());
        return this;
    }

    /// The kind of engine that computes without cards beside the other, and how far the two were found to
    /// differ.
    RunManifest beside(Parity parity) {
        root.putObject("beside")
                .put("kernel_ring", parity.identity().kernels())
                .put("tokens", parity.tokens())
                .put("difference", parity.difference())
                .put("tolerance", parity.tolerance());
        return this;
    }

    /// Which start of the run this is, from 1.
    int startNumber() {
        return root.withArray("starts").size();
    }

    RunManifest state(String state) {
        root.put("state", state);
        start.put("state", state);
        return this;
    }

    /// How many shards are committed.
    RunManifest shards(InputPlan plan, int shards, int committed) {
        root.putObject("shards")
                .put("planned", shards)
                .put("committed", committed)
                .put("rows", plan.shardRows());
        return this;
    }

    RunManifest ended() {
        root.put("ended_at", now());
        start.put("ended_at", now());
        return this;
    }

    /// What the committed rows say.
    RunManifest counted(RunTotals totals) {
        RowSummary all = totals.all();
        root.set("counts", JSON.valueToTree(all.states()));
        root.set("errors", JSON.valueToTree(all.errors()));
        root.put("retried", all.retried());
        root.putObject("tokens")
                .put("prompt", all.promptTokens())
                .put("cached", all.cachedTokens())
                .put("completion", all.completionTokens())
                .put("reasoning", all.reasoningTokens());
        all.engine().forEach((field, value) -> root.withObject("/engine").put(field, value));
        for (var input : root.withArray("inputs")) {
            RowSummary rows = totals.byFile().getOrDefault(input.path("file").asText(), RowSummary.NONE);
            ((ObjectNode) input).set("counts", JSON.valueToTree(rows.states()));
        }
        root.put("digest", all.digest());
        root.withObject("/shards").put("digests", CompletionSink.SHARDS);
        return this;
    }

    /// Rows are to be computed again because the gate has set them aside.
    RunManifest retrying(RetryPlan plan, Quarantine quarantine) {
        // one that an earlier start did not end goes on as this one
        abandonRetry();
        ObjectNode retry = root.withArray("retries").addObject();
        retry.put("started_at", now()).putNull("ended_at").put("state", RETRYING);
        retry.put("rows", quarantine.due());
        ObjectNode parameters = retry.putObject("parameters");
        plan.rules().stream()
                .filter(rule -> !rule.retries().isEmpty())
                .forEach(rule -> parameters.set(rule.name(), JSON.valueToTree(rule.retries())));
        return this;
    }

    boolean isRetrying() {
        return lastRetry().path("state").asText().equals(RETRYING);
    }

    /// They are computed.
    RunManifest retried() {
        lastRetry().put("ended_at", now()).put("state", "done");
        return this;
    }

    private ObjectNode lastRetry() {
        ArrayNode retries = root.withArray("retries");
        return retries.isEmpty() ? JSON.createObjectNode() : (ObjectNode) retries.get(retries.size() - 1);
    }

    /// What was left of a retry that a start did not end.
    void abandonRetry() {
        if (isRetrying()) {
            lastRetry().put("state", "abandoned");
        }
    }

    /// @param quarantined rows that are set aside
    /// @param recovered rows that were, and are not since their retry
    RunManifest gated(String verdict, long quarantined, long recovered) {
        root.putObject("gate")
                .put("verdict", verdict)
                .put("verdict_file", Gate.VERDICT_FILE)
                .put("quarantined", quarantined)
                .put("recovered", recovered);
        return this;
    }

    Instant startedAt() {
        return Instant.parse(root.path("started_at").asText());
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
