package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.schemas.AuditExchange;
import io.millrace.schemas.AuditExchange.Request;
import io.millrace.schemas.AuditExchange.Tag;
import io.millrace.schemas.Columns;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.RetryPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Whether the committed output is good enough to be used: the auditor's answer about it.
public final class Gate implements AutoCloseable {
    /// Name of the verdict beside the output.
    static final String VERDICT_FILE = AuditExchange.VERDICT_FILE;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern LANGUAGE =
            Pattern.compile("\\b(" + Columns.Completion.LANGUAGE + "|" + Columns.Completion.SOURCE_LANGUAGE + ")\\b");

    private final MillraceHome home;
    private final JobConfig.Gate config;
    private @Nullable Auditor auditor;

    public Gate(MillraceHome home, JobConfig.Gate config) {
        this.home = home;
        this.config = config;
        if (config.enabled()) {
            Auditor.requireBuilt(home.auditorTarget());
        }
    }

    /// Whether a rule asks for the language of a row's texts. A file that cannot be read is the
    /// auditor's to complain about.
    boolean asksForLanguages() {
        String rules = config.rules();
        return config.enabled() && askForLanguages(rules == null ? home.starterRules() : Path.of(rules));
    }

    static boolean askForLanguages(Path rules) {
        try {
            JsonNode file = new ObjectMapper(new YAMLFactory()).readTree(rules.toFile());
            return file != null && mentionsLanguage(file.path("rules"));
        } catch (IOException _) {
            return true;
        }
    }

    private static boolean mentionsLanguage(JsonNode node) {
        if (node.isTextual()) {
            return LANGUAGE.matcher(node.asText()).find();
        }
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            boolean isProse = field.getKey().equals("name") || field.getKey().equals("description");
            if (!isProse && mentionsLanguage(field.getValue())) {
                return true;
            }
        }
        for (JsonNode element : node.isArray() ? node : List.<JsonNode>of()) {
            if (mentionsLanguage(element)) {
                return true;
            }
        }
        return false;
    }

    /// Starts the auditor, unless the gate is off or it runs. Its start takes as long as a small run and
    /// all of a processor: early enough is when rows are being generated, at once would delay the first of
    /// them.
    synchronized void warmUp() {
        if (config.enabled() && auditor == null) {
            auditor = Auditor.start(home.auditorTarget(), config.master());
        }
    }

    /// What was said of a run last; null if nothing was.
    @Nullable
    Verdict last(Run run) {
        JsonNode verdict = run.sink().readAside(VERDICT_FILE, ObjectNode.class);
        return verdict == null ? null : Verdict.of(verdict);
    }

    /// Asks about committed output, and keeps the verdict beside it.
    Verdict judge(Run run) {
        warmUp();
        Auditor judge = running();
        if (judge == null) {
            return Verdict.OFF;
        }
        run.abandonRetry();
        // of an earlier verdict
        run.sink().deleteAside(run.sink().output().quarantine().getName());
        String json = judge.judge(request(run));
        run.sink().writeAside(VERDICT_FILE, json);
        try {
            return Verdict.of(JSON.readTree(json));
        } catch (JsonProcessingException e) {
            throw new JobException("gate: expected a verdict in JSON, got " + e.getOriginalMessage(), e);
        }
    }

    private String request(Run run) {
        GenerateRecipe recipe = run.recipe();
        InputPlan plan = run.plan();
        int samples = recipe.sampling().samples();
        ObjectNode request = JSON.createObjectNode();
        request.putArray(Request.OUTPUT).add(run.sink().location());
        request.put(Request.EXPECTED_ROWS, plan.rows() * samples);
        ObjectNode byFile = request.putObject(Request.EXPECTED_ROWS_BY_FILE);
        plan.rowsByFile().forEach((file, rows) -> byFile.put(file, rows * samples));
        if (plan.isWholeParquet()) {
            ArrayNode input = request.putArray(Request.INPUT);
            plan.files().forEach(file -> input.add(file.file().name()));
            request.put(Request.SAMPLES, samples);
        }
        if (config.rules() != null) {
            request.put(Request.RULES, Path.of(config.rules()).toAbsolutePath().toString());
        }
        if (config.metricsRepository() != null) {
            request.put(Request.METRICS_REPOSITORY, config.metricsRepository());
        }
        request.put(Request.STARTED_AT_MS, run.startedAt().toEpochMilli());
        request.put(Request.QUARANTINE, run.sink().output().quarantine().toString());
        request.putObject(Request.TAGS)
                .put(Tag.MODEL, run.engine().model())
                .put(Tag.REVISION, run.engine().revision())
                .put(Tag.DATASET, config.dataset())
                .put(Tag.PROMPT, ConfigFile.sha256(recipe.prompt()))
                .put("run_id", recipe.runId())
                .put("config_fingerprint", recipe.configFingerprint());
        return request.toString();
    }

    private synchronized @Nullable Auditor running() {
        return auditor;
    }

    @Override
    public void close() {
        Auditor started = running();
        if (started != null) {
            started.close();
        }
    }

    /// What the auditor said.
    ///
    /// @param word `pass`, `fail`, `error`, or `off`
    /// @param summary one line
    /// @param details lines about rules that failed, with rows
    /// @param exitCode what the process ends with
    /// @param retries what the rules that set rows aside give for their retries
    record Verdict(String word, String summary, List<String> details, int exitCode, List<RetryPlan.Rule> retries) {
        static final Verdict OFF = new Verdict("off", "off", List.of(), ExitCode.OK, List.of());

        Verdict {
            details = List.copyOf(details);
            retries = List.copyOf(retries);
        }

        boolean isJudged() {
            return !word.equals("off");
        }

        static Verdict of(JsonNode verdict) {
            String word = verdict.path(AuditExchange.Verdict.VERDICT).asText("error");
            String message = verdict.path(AuditExchange.Verdict.MESSAGE).asText("");
            List<String> details = new ArrayList<>();
            List<RetryPlan.Rule> retries = new ArrayList<>();
            for (JsonNode rule : verdict.path(AuditExchange.Verdict.RULES)) {
                if (rule.path(AuditExchange.Verdict.Rule.STATUS).asText().equals("fail")) {
                    describe(rule, details);
                    retries.add(retries(rule));
                }
            }
            int exitCode = switch (word) {
                case "pass" -> ExitCode.OK;
                case "fail" -> ExitCode.GATE_FAILED;
                default -> ExitCode.ERROR;
            };
            return new Verdict(word, message.isEmpty() ? word : message, details, exitCode, retries);
        }

        private static RetryPlan.Rule retries(JsonNode rule) {
            List<SortedMap<String, Double>> retries = new ArrayList<>();
            for (JsonNode given : rule.path(AuditExchange.Verdict.Rule.RETRY)) {
                SortedMap<String, Double> parameters = new TreeMap<>();
                given.properties()
                        .forEach(entry ->
                                parameters.put(entry.getKey(), entry.getValue().doubleValue()));
                retries.add(parameters);
            }
            return new RetryPlan.Rule(rule.path(AuditExchange.Verdict.Rule.NAME).asText(), retries);
        }

        private static void describe(JsonNode rule, List<String> into) {
            into.add("  " + rule.path(AuditExchange.Verdict.Rule.LEVEL).asText() + "  "
                    + rule.path(AuditExchange.Verdict.Rule.NAME).asText() + ": "
                    + rule.path(AuditExchange.Verdict.Rule.MESSAGE).asText());
            for (JsonNode example : rule.path(AuditExchange.Verdict.Rule.EXAMPLES)) {
                JsonNode at = example.path(AuditExchange.Verdict.Example.INPUT_REF);
                into.add("      " + at.path("file").asText() + " row group "
                        + at.path("row_group").asText() + " row "
                        + at.path("row").asText() + "  "
                        + example.path(AuditExchange.Verdict.Example.STATUS).asText() + "  "
                        + example.path(AuditExchange.Verdict.Example.EXCERPT).asText());
            }
        }
    }
}
