package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.SamplingRecipe;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A resolved configuration as it is written down: every key with its value, in the form `--config` reads.
public final class ConfigFile {

    private ConfigFile() {}

    /// YAML that reproduces the configuration, passwords aside.
    public static String yaml(JobConfig config) {
        ObjectMapper mapper = new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER));
        return write(mapper, groups(config));
    }

    /// The same with a group of keys that a command has of its own.
    static String yaml(JobConfig config, String group, Map<String, Object> keys) {
        Map<String, Object> groups = groups(config);
        groups.put(group, keys);
        return write(new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)), groups);
    }

    /// Every key, in groups.
    public static Map<String, Object> groups(JobConfig config) {
        Map<String, Object> groups = new LinkedHashMap<>();
        groups.put("input", input(config.input()));
        groups.put("output", Map.of("dir", config.outputDir()));
        groups.put("engine", engine(config));
        groups.put("cards", cards(config.cards()));
        if (config.engine().served() != null) {
            groups.put("served", ServedSettings.keys(config.engine().served()));
        }
        groups.put("prompt", prompt(config.prompt()));
        groups.put("sampling", sampling(config.sampling()));
        groups.put("plan", Map.of("shard-rows", config.shardRows()));
        groups.put("progress", Map.of("seconds", config.progressSeconds()));
        groups.put("gate", gate(config.gate()));
        if (config.rollout() != null) {
            groups.put("rollout", RolloutSettings.keys(config.rollout()));
        }
        groups.put("spark", Map.of("master", config.sparkMaster()));
        new TreeMap<>(config.sparkConf()).forEach((key, value) -> groups.put(key, Secrets.shown(key, value)));
        return groups;
    }

    private static Map<String, Object> input(JobConfig.Input input) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("path", input.paths());
        keys.put("format", word(input.format()));
        putIfThere(keys, "text-column", input.textColumn());
        putIfThere(keys, "id-column", input.idColumn());
        putIfThere(keys, "reference-column", input.referenceColumn());
        putIfThere(keys, "parameters-column", input.parametersColumn());
        putIfThere(keys, "continuations-column", input.continuationsColumn());
        putIfThere(keys, "fault-column", input.faultColumn());
        keys.put("whole-files", input.wholeFiles());
        keys.put("multi-line-csv", input.multiLineCsv());
        keys.put("limit", input.limit());
        return keys;
    }

    private static Map<String, Object> engine(JobConfig config) {
        EngineRecipe engine = config.engine();
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("kind", engine.kind());
        keys.put("model-dir", engine.modelDir());
        keys.put("model-cache", engine.modelCache());
        keys.put("ring", engine.ring());
        keys.put("threads", engine.threads());
        keys.put("cache-budget", engine.cacheBudgetBytes());
        keys.put("step-tokens", engine.stepTokens());
        keys.put("max-running", engine.maxRunning());
        keys.put("cache-rounding", word(engine.cacheRounding()));
        keys.put("prefix-sharing", engine.prefixSharing());
        keys.put("speculation", engine.speculation());
        keys.put("stall-seconds", config.stallSeconds());
        return keys;
    }

    private static Map<String, Object> cards(JobConfig.Cards cards) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("group", cards.group());
        keys.put("locks", cards.locks());
        putIfThere(keys, "beside", cards.beside());
        keys.put("tolerance", cards.tolerance());
        return keys;
    }

    static Map<String, Object> prompt(PromptRecipe prompt) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("template", prompt.template());
        keys.put("format", word(prompt.format()));
        putIfThere(keys, "system", prompt.system());
        keys.put("thinking", word(prompt.thinking()));
        keys.put("max-tokens", prompt.maxPromptTokens());
        keys.put("overlong", prompt.overlong().wireName());
        return keys;
    }

    /// SHA-256 of all that makes a prompt of a text, lower-case hex.
    static String sha256(PromptRecipe prompt) {
        return RunFingerprint.sha256(write(new ObjectMapper(), prompt(prompt)));
    }

    static Map<String, Object> sampling(SamplingRecipe sampling) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("temperature", sampling.temperature());
        keys.put("top-p", sampling.topP());
        keys.put("top-k", sampling.topK());
        keys.put("min-p", sampling.minP());
        keys.put("max-tokens", sampling.maxTokens());
        keys.put("stop", sampling.stop());
        keys.put("seed", sampling.seed());
        keys.put("samples", sampling.samples());
        keys.put("beams", sampling.beams());
        keys.put("length-penalty", sampling.lengthPenalty());
        keys.put("logprobs", sampling.logprobs());
        return keys;
    }

    private static Map<String, Object> gate(JobConfig.Gate gate) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("enabled", gate.enabled());
        putIfThere(keys, "rules", gate.rules());
        keys.put("master", gate.master());
        putIfThere(keys, "metrics-repository", gate.metricsRepository());
        keys.put("dataset", gate.dataset());
        keys.put("languages", word(gate.languages()));
        return keys;
    }

    private static String write(ObjectMapper mapper, Map<String, Object> keys) {
        try {
            return mapper.writeValueAsString(keys);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("maps of strings and numbers can be written", e);
        }
    }

    static void putIfThere(Map<String, Object> keys, String key, @Nullable String value) {
        if (value != null) {
            keys.put(key, value);
        }
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
