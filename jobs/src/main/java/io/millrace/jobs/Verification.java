package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.shard.QuarantinedRows;
import io.millrace.udf.shard.RowSummary;
import io.millrace.udf.shard.Shard;
import io.millrace.udf.shard.VerifyShard;
import io.millrace.udf.shard.VerifyShard.Finding;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;

/// Reads a finished output again, computes every figure of its manifest anew, and says what differs.
final class Verification {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// Shards whose findings are on the driver at once.
    private static final int AT_ONCE = 4096;

    private final JavaSparkContext spark;
    private final CompletionSink sink;
    private final EarlierRun run;
    private final String fingerprint;
    private final int samples;
    private final SortedMap<String, RowSummary> byFile = new TreeMap<>();
    private final List<String> differences = new ArrayList<>();
    private RowSummary all = RowSummary.NONE;
    private int shards;

    private Verification(JavaSparkContext spark, CompletionSink sink, EarlierRun run) {
        this.spark = spark;
        this.sink = sink;
        this.run = run;
        fingerprint = run.manifest().path("config_fingerprint").asText();
        samples = run.manifest().path("samples").asInt(1);
    }

    /// @throws JobException if there is no run there, or none that is finished
    static Verification of(JavaSparkContext spark, String outputDir) {
        CompletionSink sink = CompletionSink.open(outputDir, spark.hadoopConfiguration());
        EarlierRun run = EarlierRun.read(sink);
        if (run == null) {
            throw new JobException(
                    "output " + sink.location() + ": expected a run, got no " + sink.aside(CompletionSink.MANIFEST));
        }
        String state = run.manifest().path("state").asText();
        if (!state.equals("committed") && !state.equals("gated")) {
            throw new JobException("output " + sink.location() + ": expected a finished run, got one that is " + state);
        }
        Verification verification = new Verification(spark, sink, run);
        verification.verify();
        return verification;
    }

    private void verify() {
        compare("config_fingerprint", run.fingerprint().sha256(), fingerprint);
        checkFiles();
        try (BufferedReader lines = sink.openAside(CompletionSink.SHARDS)) {
            List<Shard> batch = new ArrayList<>();
            run.plan().forEachShard(shard -> {
                batch.add(shard);
                if (batch.size() == AT_ONCE) {
                    verify(batch, lines);
                    batch.clear();
                }
            });
            verify(batch, lines);
        } catch (IOException e) {
            throw new JobException(
                    sink.aside(CompletionSink.SHARDS) + ": expected to be readable, got " + e.getMessage(), e);
        }
        compareTotals();
    }

    private void checkFiles() {
        RunLedger ledger = RunLedger.read(sink, run.plan(), fingerprint);
        if (ledger.strays() > 0) {
            differences.add("files: expected the run's shards only, got " + ledger.strays() + " more, such as "
                    + ledger.someStrays());
        }
    }

    private void verify(List<Shard> batch, BufferedReader lines) {
        if (batch.isEmpty()) {
            return;
        }
        VerifyShard verify = new VerifyShard(
                sink.output(),
                fingerprint,
                samples,
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration())));
        List<String> described = batch.stream().map(Shard::toJson).toList();
        int tasks = Math.min(described.size(), 4 * spark.defaultParallelism());
        List<String> findings = spark.parallelize(described, tasks).map(verify).collect();
        for (int index = 0; index < batch.size(); index++) {
            Finding finding = Finding.ofJson(findings.get(index));
            Shard shard = batch.get(index);
            differences.addAll(finding.problems());
            byFile.merge(shard.file().name(), finding.summary(), RowSummary::plus);
            all = all.plus(finding.summary());
            shards++;
            compareLine(shard, finding.summary(), lines);
        }
    }

    private void compareLine(Shard shard, RowSummary summary, BufferedReader lines) {
        String name = shard.outputName(fingerprint);
        try {
            String line = lines.readLine();
            JsonNode noted = line == null ? JSON.createObjectNode() : JSON.readTree(line);
            compare(
                    CompletionSink.SHARDS + " line of " + name,
                    noted.path("file").asText("none"),
                    name);
            compare(
                    CompletionSink.SHARDS + " digest of " + name,
                    noted.path("digest").asText("none"),
                    summary.digest());
        } catch (IOException e) {
            differences.add(CompletionSink.SHARDS + ": expected a line for " + name + ", got " + e.getMessage());
        }
    }

    private void compareTotals() {
        JsonNode manifest = run.manifest();
        compare("planned_rows", manifest.path("planned_rows"), JSON.valueToTree(all.rows()));
        compare("counts", manifest.path("counts"), JSON.valueToTree(all.states()));
        compare("errors", manifest.path("errors"), JSON.valueToTree(all.errors()));
        compare("retried", manifest.path("retried").asLong(), all.retried());
        compare("tokens.prompt", manifest.at("/tokens/prompt").asLong(), all.promptTokens());
        compare("tokens.cached", manifest.at("/tokens/cached").asLong(), all.cachedTokens());
        compare("tokens.completion", manifest.at("/tokens/completion").asLong(), all.completionTokens());
        compare("tokens.reasoning", manifest.at("/tokens/reasoning").asLong(), all.reasoningTokens());
        compare("digest", manifest.path("digest").asText(), all.digest());
        if (manifest.path("gate").isObject()) {
            compare("gate.quarantined", manifest.at("/gate/quarantined").asLong(), quarantined());
        }
        for (JsonNode input : manifest.path("inputs")) {
            String file = input.path("file").asText();
            RowSummary rows = byFile.getOrDefault(file, RowSummary.NONE);
            compare("rows of " + file, input.path("rows").asLong() * samples, rows.rows());
            compare("counts of " + file, input.path("counts"), JSON.valueToTree(rows.states()));
        }
    }

    private long quarantined() {
        long rows = 0;
        try (QuarantinedRows found = QuarantinedRows.of(sink.output().quarantine(), spark.hadoopConfiguration())) {
            for (; found.hasNext(); found.next()) {
                rows++;
            }
        }
        return rows;
    }

    private void compare(String what, JsonNode noted, JsonNode found) {
        // both as read, since an int node is not equal to a long node of the same value; the order of names is none
        if (!noted.equals(reread(found))) {
            differences.add(what + ": expected " + noted + " as noted, got " + found);
        }
    }

    private static JsonNode reread(JsonNode node) {
        try {
            return JSON.readTree(node.toString());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of JSON nodes is JSON", e);
        }
    }

    private void compare(String what, Object noted, Object found) {
        if (!noted.equals(found)) {
            differences.add(what + ": expected " + noted + " as noted, got " + found);
        }
    }

    /// What is not as the manifest has it; empty if all is.
    List<String> differences() {
        return List.copyOf(differences);
    }

    int shards() {
        return shards;
    }

    /// The rows as they are.
    RowSummary rows() {
        return all;
    }
}
