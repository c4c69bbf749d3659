package io.millrace.jobs;

import io.millrace.engine.api.CacheRounding;
import io.millrace.npu.cards.CardGroups;
import io.millrace.npu.cards.CardLeases;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.OverlongPolicy;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.SamplingRecipe;
import io.millrace.udf.Thinking;
import io.millrace.udf.agent.RolloutRecipe;
import io.millrace.udf.shard.RecordNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A run's whole configuration, read once and frozen. The only place where layers meet: the command line
/// wins over the Spark configuration, that over the YAML file, that over the defaults. Everything wrong is
/// reported at once.
///
/// @param shardRows most input rows of a shard; 0 for what suits the input
/// @param stallSeconds how long an executor or its engine may make no progress before its work is moved
/// @param progressSeconds between lines of progress where they go to no terminal
/// @param sparkConf keys handed to Spark unchanged (`spark.*` but ours)
/// @param rollout how rows are conversations with tools; null if they are prompts
public record JobConfig(
        Input input,
        String outputDir,
        EngineRecipe engine,
        Cards cards,
        PromptRecipe prompt,
        SamplingRecipe sampling,
        int shardRows,
        int stallSeconds,
        int progressSeconds,
        Gate gate,
        String sparkMaster,
        Map<String, String> sparkConf,
        @Nullable RolloutRecipe rollout) {

    /// Where rows come from.
    ///
    /// @param paths files, directories or globs of any Hadoop file system
    /// @param format {@link InputFormat#AUTO} to go by the file names
    /// @param textColumn column of the texts; null only where the files may turn out to be text files
    /// @param parametersColumn column of a JSON object of what each row asks for in place of the run's
    ///     sampling
    /// @param continuationsColumn column of a JSON array of strings to score behind the prompt
    /// @param faultColumn column of what was wrong with a row in a stage before, see {@link
    ///     io.millrace.udf.CarriedFault}
    /// @param limit rows to take from the start, files in the order of their names; 0 for all
    public record Input(
            List<String> paths,
            InputFormat format,
            @Nullable String textColumn,
            @Nullable String idColumn,
            @Nullable String referenceColumn,
            @Nullable String parametersColumn,
            @Nullable String continuationsColumn,
            @Nullable String faultColumn,
            boolean wholeFiles,
            boolean multiLineCsv,
            long limit) {}

    /// The accelerator cards that engines compute on.
    ///
    /// @param group cards of each engine, joined by fast links; 0 for none
    /// @param locks folder of the locks of a host's cards
    /// @param beside kind of engine of executors without cards, which take the end of the input while the
    ///     others take its beginning; null if there are none
    /// @param tolerance how far the two kinds may differ: largest difference of the natural logarithm of a
    ///     token's probability
    public record Cards(int group, String locks, @Nullable String beside, double tolerance) {}

    /// The auditor.
    ///
    /// @param rules rules file; null for the starter rules
    /// @param master Spark master of the auditor's own context
    /// @param metricsRepository file that keeps the metrics of runs; null for none
    /// @param dataset name of the corpus in that file
    /// @param languages whether rows tell the languages of their texts
    public record Gate(
            boolean enabled,
            @Nullable String rules,
            String master,
            @Nullable String metricsRepository,
            String dataset,
            Languages languages) {}

    /// Whether rows tell the languages of their texts.
    public enum Languages {
        /// If a rule of the gate asks for them.
        AUTO,
        ON,
        OFF;

        /// Whether they are told.
        ///
        /// @param asked whether a rule asks for them
        boolean areTold(boolean asked) {
            return switch (this) {
                case AUTO -> asked;
                case ON -> true;
                case OFF -> false;
            };
        }
    }

    public JobConfig {
        sparkConf = Map.copyOf(sparkConf);
    }

    /// Every key with its default; null where there is none.
    static Map<String, @Nullable String> defaults() {
        Map<String, @Nullable String> keys = new LinkedHashMap<>();
        keys.put("input.path", null);
        keys.put("input.format", "auto");
        keys.put("input.text-column", null);
        keys.put("input.id-column", null);
        keys.put("input.reference-column", null);
        keys.put("input.parameters-column", null);
        keys.put("input.continuations-column", null);
        keys.put("input.fault-column", null);
        keys.put("input.whole-files", "false");
        keys.put("input.multi-line-csv", "false");
        keys.put("input.limit", "0");
        keys.put("output.dir", null);
        keys.put("engine.kind", EngineRecipe.LOCAL);
        keys.put("engine.model-dir", null);
        keys.put("engine.model-cache", "/var/tmp/millrace-models");
        keys.put("engine.ring", "auto");
        keys.put("engine.threads", "0");
        keys.put("engine.cache-budget", "0");
        keys.put("engine.step-tokens", "2048");
        keys.put("engine.max-running", "256");
        keys.put("engine.cache-rounding", "auto");
        keys.put("engine.prefix-sharing", "on");
        keys.put("engine.speculation", "on");
        keys.put("engine.stall-seconds", "60");
        keys.put("cards.group", "0");
        keys.put("cards.locks", CardLeases.DEFAULT_FOLDER);
        keys.put("cards.beside", null);
        keys.put("cards.tolerance", "0.5");
        keys.put("served.endpoint", null);
        keys.put("served.command", null);
        keys.put("served.environment", null);
        keys.put("served.log-dir", "logs");
        keys.put("served.restarts", "10");
        keys.put("served.start-seconds", "1800");
        keys.put("served.request-seconds", "600");
        keys.put("served.model", null);
        keys.put("served.tokenizer", null);
        keys.put("served.api-key-variable", null);
        keys.put("served.extra-body", "{}");
        keys.put("prompt.template", PromptRecipe.TEXT_ONLY);
        keys.put("prompt.format", "chat");
        keys.put("prompt.system", null);
        keys.put("prompt.thinking", "chat");
        keys.put("prompt.max-tokens", "0");
        keys.put("prompt.overlong", OverlongPolicy.TRUNCATE_END.wireName());
        keys.put("sampling.temperature", "0");
        keys.put("sampling.top-p", "1");
        keys.put("sampling.top-k", "0");
        keys.put("sampling.min-p", "0");
        keys.put("sampling.max-tokens", "64");
        keys.put("sampling.stop", null);
        keys.put("sampling.seed", "0");
        keys.put("sampling.samples", "1");
        keys.put("sampling.beams", "1");
        keys.put("sampling.length-penalty", "0");
        keys.put("sampling.logprobs", "-1");
        keys.put("plan.shard-rows", "0");
        keys.put("progress.seconds", "10");
        keys.put("gate.enabled", "true");
        keys.put("gate.rules", null);
        keys.put("gate.master", "local[2]");
        keys.put("gate.metrics-repository", null);
        keys.put("gate.dataset", null);
        keys.put("gate.languages", "auto");
        keys.put("spark.master", "local[*,4]");
        keys.putAll(RolloutSettings.DEFAULTS);
        return keys;
    }

    /// Merges the layers over the defaults.
    ///
    /// @param layers lowest precedence first: file, Spark configuration, command line
    /// @throws ConfigException with everything that is wrong
    public static JobConfig resolve(MillraceHome home, List<Settings> layers) {
        List<Settings> all = new ArrayList<>();
        all.add(settings("defaults", defaults()));
        all.add(new Settings("defaults", Map.of("output.dir", List.of(home.defaultOutput()))));
        all.add(new Settings("defaults", Map.of("engine.model-dir", List.of(home.bundledModel()))));
        if (layers.stream().noneMatch(layer -> layer.values().containsKey("input.path"))) {
            all.add(new Settings("bundled corpus", home.bundledCorpus()));
        }
        all.addAll(layers);
        ConfigReader reader = new ConfigReader(all);
        reader.refuseUnknown(defaults().keySet(), JobConfig::isSparks);
        JobConfig config = read(reader);
        reader.throwIfWrong();
        return config;
    }

    /// All texts that name columns of a row.
    String templates() {
        return rollout == null ? prompt.template() : prompt.template() + rollout.repository() + rollout.commit();
    }

    private static boolean isSparks(String key) {
        return key.startsWith("spark.") && !key.startsWith("spark.millrace.") && !key.equals("spark.master");
    }

    private static Settings settings(String name, Map<String, @Nullable String> keys) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        keys.forEach((key, value) -> {
            if (value != null) {
                values.put(key, List.of(value));
            }
        });
        return new Settings(name, values);
    }

    private static JobConfig read(ConfigReader reader) {
        Input input = input(reader);
        return new JobConfig(
                input,
                reader.text("output.dir"),
                engine(reader),
                cards(reader),
                prompt(reader, input.format()),
                sampling(reader),
                reader.integer("plan.shard-rows", 0),
                reader.integer("engine.stall-seconds", 1),
                reader.integer("progress.seconds", 1),
                gate(reader),
                reader.text("spark.master"),
                reader.passedThrough(JobConfig::isSparks),
                RolloutSettings.read(reader));
    }

    private static Gate gate(ConfigReader reader) {
        String dataset = reader.optional("gate.dataset");
        return new Gate(
                reader.flag("gate.enabled"),
                reader.optional("gate.rules"),
                reader.text("gate.master"),
                reader.optional("gate.metrics-repository"),
                dataset == null ? String.join(",", reader.texts("input.path")) : dataset,
                reader.choice("gate.languages", Languages.values()));
    }

    private static Input input(ConfigReader reader) {
        List<String> paths = reader.texts("input.path");
        if (paths.isEmpty()) {
            reader.problem("input.path", "input.path: expected a file, directory or glob, got none");
        }
        InputFormat format = InputFormat.of(paths, reader.choice("input.format", InputFormat.values()), reader);
        String textColumn = reader.optional("input.text-column");
        String idColumn = reader.optional("input.id-column");
        if (format == InputFormat.JSONL
                && textColumn == null
                && !paths.isEmpty()
                && InputFormat.isOpenAiBatch(paths.getFirst())) {
            format = InputFormat.OPENAI_BATCH;
        }
        if (format == InputFormat.OPENAI_BATCH) {
            textColumn = "body";
            idColumn = "custom_id";
        } else if (textColumn == null && format == InputFormat.TEXT) {
            textColumn = RecordNames.TEXT_VALUE;
        } else if (textColumn == null && format != InputFormat.AUTO) {
            reader.problem("input.text-column", "input.text-column: expected the column that holds the text, got none");
        }
        return new Input(
                List.copyOf(paths),
                format,
                textColumn,
                idColumn,
                reader.optional("input.reference-column"),
                reader.optional("input.parameters-column"),
                reader.optional("input.continuations-column"),
                reader.optional("input.fault-column"),
                reader.flag("input.whole-files"),
                reader.flag("input.multi-line-csv"),
                reader.whole("input.limit", 0, Long.MAX_VALUE));
    }

    private static EngineRecipe engine(ConfigReader reader) {
        return new EngineRecipe(
                reader.text("engine.kind"),
                reader.text("engine.model-dir"),
                reader.text("engine.model-cache"),
                reader.text("engine.ring"),
                reader.integer("engine.threads", 0),
                reader.bytes("engine.cache-budget"),
                reader.integer("engine.step-tokens", 1),
                reader.integer("engine.max-running", 1),
                reader.choice("engine.cache-rounding", CacheRounding.values()),
                reader.flag("engine.prefix-sharing"),
                reader.flag("engine.speculation"),
                ServedSettings.read(reader));
    }

    private static Cards cards(ConfigReader reader) {
        int group = reader.integer("cards.group", 0);
        if (group != 0 && !CardGroups.SIZES.contains(group)) {
            reader.wrong("cards.group", "0 for none, or one of " + new TreeSet<>(CardGroups.SIZES), group);
        }
        if (group > 1 && reader.text("engine.kind").equals(EngineRecipe.LOCAL)) {
            reader.wrong("cards.group", "0 or 1 with engine.kind local; more with served", group);
        }
        String beside = reader.optional("cards.beside");
        if (beside != null && (group == 0 || reader.text("spark.master").startsWith("local"))) {
            reader.wrong("cards.beside", "nothing without cards.group and a cluster's master", beside);
        }
        return new Cards(
                group,
                reader.text("cards.locks"),
                beside,
                reader.decimal("cards.tolerance", ">= 0", value -> value >= 0 && Double.isFinite(value), 0));
    }

    private static PromptRecipe prompt(ConfigReader reader, InputFormat input) {
        String template = reader.text("prompt.template");
        try {
            PromptTemplate.parse(template);
        } catch (IllegalArgumentException e) {
            reader.problem("prompt.template", String.valueOf(e.getMessage()));
        }
        PromptFormat format = input == InputFormat.OPENAI_BATCH
                ? PromptFormat.OPENAI
                : reader.choice("prompt.format", PromptFormat.values());
        String system = reader.optional("prompt.system");
        if (format == PromptFormat.OPENAI && reader.optional("input.parameters-column") != null) {
            reader.problem(
                    "input.parameters-column",
                    "input.parameters-column: expected none beside bodies of requests, which have the parameters");
        }
        if (format.isJson() && (system != null || !template.equals(PromptRecipe.TEXT_ONLY))) {
            reader.problem(
                    "prompt.format",
                    "prompt.format: messages are the whole conversation: expected no prompt.system, and "
                            + PromptRecipe.TEXT_ONLY + " for prompt.template");
        }
        return new PromptRecipe(
                template,
                format,
                system,
                reader.choice("prompt.thinking", Thinking.values()),
                reader.integer("prompt.max-tokens", 0),
                reader.choice("prompt.overlong", OverlongPolicy.values()));
    }

    private static SamplingRecipe sampling(ConfigReader reader) {
        List<String> stop = reader.texts("sampling.stop");
        if (stop.contains("")) {
            reader.wrong("sampling.stop", "non-empty strings", stop);
        }
        double temperature =
                reader.decimal("sampling.temperature", ">= 0", value -> value >= 0 && Double.isFinite(value), 0);
        int samples = reader.integer("sampling.samples", 1);
        int beams = reader.integer("sampling.beams", 1);
        if (beams > 1 && (temperature > 0 || samples > 1 || !stop.isEmpty())) {
            reader.wrong("sampling.beams", "1 with a temperature, several samples or stop strings", beams);
        }
        int logprobs = reader.integer("sampling.logprobs", -1);
        if (beams > 1 && logprobs >= 0) {
            reader.wrong("sampling.logprobs", "-1 with beams", logprobs);
        }
        return new SamplingRecipe(
                temperature,
                reader.decimal("sampling.top-p", "in (0, 1]", value -> value > 0 && value <= 1, 1),
                reader.integer("sampling.top-k", 0),
                reader.decimal("sampling.min-p", "in [0, 1)", value -> value >= 0 && value < 1, 0),
                reader.integer("sampling.max-tokens", 1),
                stop,
                reader.whole("sampling.seed", Long.MIN_VALUE, Long.MAX_VALUE),
                samples,
                beams,
                reader.decimal("sampling.length-penalty", ">= 0", value -> value >= 0 && Double.isFinite(value), 0),
                logprobs);
    }
}
