package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.shard.CompletionFormat;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Everything that can change a row of a run's output beside its input: model, arithmetic, prompt,
/// sampling, columns, version. How rows are batched, spread over tasks or cut into shards is left out,
/// since it cannot.
///
/// @param fields name to value
record RunFingerprint(SortedMap<String, String> fields) {
    private static final String NONE = "(none)";
    private static final String LANGUAGES = "rows.languages";

    /// @param parity of the engine that computes beside the other, if there is one
    static RunFingerprint of(JobConfig config, InputPlan plan, EngineIdentity engine, @Nullable Parity parity) {
        SortedMap<String, String> fields = new TreeMap<>();
        fields.put("millrace.version", Builds.version());
        fields.put("schema", CompletionFormat.schemaName());
        fields.put("engine.kind", config.engine().kind());
        fields.put("engine.cache-rounding", ConfigFile.word(config.engine().cacheRounding()));
        fields.put("engine.kernels", engine.kernels());
        fields.put("engine.logits-sha256", engine.logitsSha256());
        if (parity != null) {
            fields.put("cards.beside", String.valueOf(config.cards().beside()));
            fields.put("cards.beside.kernels", parity.identity().kernels());
            fields.put("cards.beside.logits-sha256", parity.identity().logitsSha256());
            fields.put("cards.tolerance", Double.toString(parity.tolerance()));
        }
        fields.put("model.name", engine.model());
        fields.put("model.revision", engine.revision());
        fields.put("model.weights-sha256", engine.weightsSha256());
        fields.put("model.tokenizer-sha256", engine.tokenizerSha256());
        fields.put("model.quantization", engine.quantization());
        if (config.engine().served() != null) {
            fields.put("served.extra-body", config.engine().served().extraBody());
        }
        ConfigFile.prompt(config.prompt()).forEach((key, value) -> fields.put("prompt." + key, value.toString()));
        ConfigFile.sampling(config.sampling()).forEach((key, value) -> fields.put("sampling." + key, value.toString()));
        if (config.rollout() != null) {
            RolloutSettings.deciding(config.rollout())
                    .forEach((key, value) -> fields.put("rollout." + key, value.toString()));
        }
        fields.put("input.format", ConfigFile.word(plan.format()));
        fields.put("input.text-column", plan.textColumn());
        fields.put("input.id-column", String.valueOf(config.input().idColumn()));
        fields.put("input.reference-column", String.valueOf(config.input().referenceColumn()));
        fields.put("input.parameters-column", String.valueOf(config.input().parametersColumn()));
        fields.put("input.continuations-column", String.valueOf(config.input().continuationsColumn()));
        return new RunFingerprint(fields);
    }

    /// The same of a run whose rows tell the languages of their texts, or do not.
    RunFingerprint withLanguages(boolean told) {
        SortedMap<String, String> all = new TreeMap<>(fields);
        all.put(LANGUAGES, told ? "told" : "not told");
        return new RunFingerprint(all);
    }

    boolean tellsLanguages() {
        return "told".equals(fields.get(LANGUAGES));
    }

    /// SHA-256 over names and values, lower-case hex.
    String sha256() {
        try {
            return sha256(new ObjectMapper().writeValueAsString(fields));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of strings can be written", e);
        }
    }

    static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// What is different in a later one.
    List<Difference> to(RunFingerprint now) {
        TreeSet<String> names = new TreeSet<>(fields.keySet());
        names.addAll(now.fields.keySet());
        List<Difference> differences = new ArrayList<>();
        for (String name : names) {
            String was = fields.getOrDefault(name, NONE);
            String is = now.fields.getOrDefault(name, NONE);
            if (!was.equals(is)) {
                differences.add(new Difference(name, was, is));
            }
        }
        return differences;
    }

    /// One thing that was so and is not any more.
    record Difference(String field, String was, String now) {

        /// Of planned files, by name.
        static List<Difference> ofInputs(InputPlan was, InputPlan now) {
            Map<String, String> before = versions(was);
            Map<String, String> after = versions(now);
            TreeSet<String> names = new TreeSet<>(before.keySet());
            names.addAll(after.keySet());
            List<Difference> differences = new ArrayList<>();
            for (String name : names) {
                String old = before.getOrDefault(name, NONE);
                String fresh = after.getOrDefault(name, NONE);
                if (!old.equals(fresh)) {
                    differences.add(new Difference("input " + name, old, fresh));
                }
            }
            if (was.limit() != now.limit()) {
                differences.add(new Difference("input.limit", Long.toString(was.limit()), Long.toString(now.limit())));
            }
            return differences;
        }

        private static Map<String, String> versions(InputPlan plan) {
            Map<String, String> versions = new TreeMap<>();
            for (PlannedFile file : plan.files()) {
                versions.put(
                        file.file().name(),
                        file.file().bytes() + " bytes, modified "
                                + java.time.Instant.ofEpochMilli(file.file().modifiedMillis()));
            }
            return versions;
        }
    }
}
