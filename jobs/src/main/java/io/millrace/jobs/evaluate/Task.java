package io.millrace.jobs.evaluate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A task of the harness, as its file says. What keys mean is in the harness's `docs/task_guide.md`;
/// keys that name Python, and the few that are not there, are refused.
///
/// @param keys all keys of the file and the files it includes
/// @param fewShot how examples are chosen and written, with the task's own keys below
/// @param examples examples before the question
/// @param repeats how often each document is asked
/// @param generationKwargs what is asked of a generating model, in the harness's words
record Task(
        String name,
        Keys keys,
        OutputType type,
        Fields fields,
        FewShot fewShot,
        int examples,
        int repeats,
        Map<String, Object> generationKwargs,
        List<FilterPipeline> filters,
        List<Metric> metrics) {
    static final String DEFAULT_FEWSHOT_DELIMITER = "\n\n";

    private static final Set<String> KNOWN = Set.of(
            "task",
            "task_alias",
            "tag",
            "dataset_path",
            "dataset_name",
            "dataset_kwargs",
            "training_split",
            "validation_split",
            "test_split",
            "fewshot_split",
            "doc_to_text",
            "doc_to_target",
            "doc_to_choice",
            "process_results",
            "description",
            "target_delimiter",
            "fewshot_delimiter",
            "fewshot_config",
            "num_fewshot",
            "metric_list",
            "output_type",
            "generation_kwargs",
            "repeats",
            "filter_list",
            "should_decontaminate",
            "doc_to_decontamination_query",
            "gen_prefix",
            "metadata",
            "unsafe_code");
    /// Words that are ours, for what tasks of the harness say in Python. The probability of the true
    /// choices, as in the second measure of TruthfulQA:
    static final String TRUE_MASS = "true_mass";
    /// Whether the answer follows the document's instructions, as in IFEval:
    static final String INSTRUCTION_FOLLOWING = "instruction_following";

    /// How examples are chosen and written.
    ///
    /// @param sampler `default` or `first_n`
    /// @param split where from; null if none is named
    /// @param samples examples in the file itself; null for none
    record FewShot(
            String sampler,
            @Nullable String split,
            @Nullable List<Map<String, @Nullable Object>> samples,
            Fields fields,
            @Nullable String genPrefix,
            String targetDelimiter,
            String delimiter) {}

    /// What the command line puts over a task's own words.
    ///
    /// @param examples null to leave them
    /// @param generation names as in `generation_kwargs`
    record Overrides(@Nullable Integer examples, Map<String, Object> generation) {
        static final Overrides NONE = new Overrides(null, Map.of());
    }

    static Task of(String name, Map<String, @Nullable Object> values, Overrides overrides) {
        Keys keys = new Keys("task " + name, values);
        for (String key : values.keySet()) {
            if (!KNOWN.contains(key)) {
                throw new TaskException(keys.where() + ": " + key + ": not a key that is known here");
            }
        }
        if (keys.flag("unsafe_code", false)) {
            throw new TaskException(keys.where() + ": unsafe_code: programs are run by `millrace evaluate-code`");
        }
        OutputType type = OutputType.of(keys);
        process(keys, type);
        Fields fields = new Fields(
                keys.where(), field(keys, "doc_to_text"), field(keys, "doc_to_choice"), field(keys, "doc_to_target"));
        return new Task(
                name,
                keys,
                type,
                fields,
                fewShot(keys),
                examples(keys, overrides.examples()),
                (int) keys.whole("repeats", 1),
                generation(keys, type, overrides.generation()),
                FilterPipeline.of(keys),
                Metric.of(keys, type));
    }

    /// Each word of ours is for one type of task.
    private static void process(Keys keys, OutputType type) {
        String word = keys.value("process_results") instanceof Yaml.PythonFunction ? "" : keys.text("process_results");
        String known = switch (type) {
            case MULTIPLE_CHOICE -> TRUE_MASS;
            case GENERATE_UNTIL -> INSTRUCTION_FOLLOWING;
            case LOGLIKELIHOOD, LOGLIKELIHOOD_ROLLING -> "nothing";
        };
        if (word != null && !word.equals(known)) {
            throw keys.wrong("process_results", known + " with " + type.wireName(), keys.value("process_results"));
        }
    }

    /// A template, the name of a column, a number, or choices themselves.
    private static @Nullable Object field(Keys keys, String key) {
        Object value = keys.value(key);
        if (value instanceof Yaml.PythonFunction) {
            throw keys.wrong(key, "a template", value);
        }
        return value;
    }

    /// A task that says 0 means it.
    private static int examples(Keys keys, @Nullable Integer over) {
        int own = (int) keys.whole("num_fewshot", 0);
        return over == null || (own == 0 && keys.has("num_fewshot")) ? own : over;
    }

    private static FewShot fewShot(Keys keys) {
        Keys own = keys.mapping("fewshot_config");
        Map<String, @Nullable Object> merged = new LinkedHashMap<>(keys.values());
        merged.putAll(own.values());
        Keys both = new Keys(own.where(), merged);
        String sampler = own.text("sampler", "default");
        if (!Set.of("default", "first_n").contains(sampler)) {
            throw own.wrong("sampler", "default or first_n", sampler);
        }
        List<Map<String, @Nullable Object>> samples = null;
        if (own.has("samples")) {
            samples = new ArrayList<>();
            for (Keys sample : own.mappings("samples")) {
                samples.add(new LinkedHashMap<>(sample.values()));
            }
        }
        return new FewShot(
                sampler,
                own.has("split") ? own.text("split") : keys.text("fewshot_split"),
                samples,
                new Fields(
                        own.where(),
                        field(both, "doc_to_text"),
                        field(both, "doc_to_choice"),
                        field(both, "doc_to_target")),
                both.text("gen_prefix"),
                both.text("target_delimiter", " "),
                both.text("fewshot_delimiter", DEFAULT_FEWSHOT_DELIMITER));
    }

    /// With the harness's defaults: greedy, 256 tokens, until the delimiter of examples.
    private static Map<String, Object> generation(Keys keys, OutputType type, Map<String, Object> over) {
        Map<String, Object> kwargs = new LinkedHashMap<>();
        if (type != OutputType.GENERATE_UNTIL) {
            return kwargs;
        }
        String delimiter = keys.text("fewshot_delimiter", DEFAULT_FEWSHOT_DELIMITER);
        if (keys.has("generation_kwargs")) {
            keys.mapping("generation_kwargs").values().forEach((key, value) -> {
                if (value != null) {
                    kwargs.put(key, value);
                }
            });
            if (kwargs.containsKey("temperature")) {
                kwargs.put("temperature", keys.mapping("generation_kwargs").number("temperature", 0));
            }
            kwargs.putIfAbsent("until", List.of(delimiter));
        } else {
            kwargs.put("temperature", 0.0);
            kwargs.put("do_sample", false);
            kwargs.put("max_gen_toks", 256L);
            kwargs.put("until", List.of(delimiter));
        }
        kwargs.putAll(over);
        return kwargs;
    }

    String alias() {
        return keys.text("task_alias", name);
    }

    String targetDelimiter() {
        return keys.text("target_delimiter", " ");
    }

    String fewShotDelimiter() {
        return keys.text("fewshot_delimiter", DEFAULT_FEWSHOT_DELIMITER);
    }

    @Nullable
    String genPrefix() {
        return keys.text("gen_prefix");
    }

    boolean hasMetric(String metric) {
        return metrics.stream().anyMatch(own -> own.name().equals(metric));
    }

    /// Whether the documents' own labels say which choices are true, and how likely those are together
    /// is asked.
    boolean isTrueMass() {
        return TRUE_MASS.equals(keys.text("process_results"));
    }

    boolean isInstructionFollowing() {
        return INSTRUCTION_FOLLOWING.equals(keys.text("process_results"));
    }

    /// What the file says of its version; `Yaml` if nothing.
    Object version() {
        Object version = keys.mapping("metadata").value("version");
        return version == null ? "Yaml" : version;
    }

    /// The split whose documents are asked.
    String split() {
        String test = keys.text("test_split");
        String split = test == null ? keys.text("validation_split") : test;
        if (split == null) {
            throw new TaskException(keys.where() + ": expected a test_split or a validation_split, got neither");
        }
        return split;
    }

    /// The split that examples come from: the one named for them, else that for training, validation, test.
    String exampleSplit() {
        for (String split :
                new @Nullable String[] {fewShot.split(), keys.text("training_split"), keys.text("validation_split")}) {
            if (split != null) {
                return split;
            }
        }
        return split();
    }

    /// The task as the harness writes it down: its keys in their order, defaults too, without those
    /// that are null.
    Map<String, @Nullable Object> dump() {
        Map<String, @Nullable Object> dump = new LinkedHashMap<>();
        dump.put("task", name);
        for (String key : List.of(
                "task_alias",
                "dataset_path",
                "dataset_name",
                "dataset_kwargs",
                "training_split",
                "validation_split",
                "test_split",
                "fewshot_split",
                "doc_to_text",
                "doc_to_target")) {
            copy(dump, key);
        }
        dump.put("unsafe_code", false);
        copy(dump, "doc_to_choice");
        copy(dump, "process_results");
        dump.put("description", keys.text("description", ""));
        dump.put("target_delimiter", targetDelimiter());
        dump.put("fewshot_delimiter", fewShotDelimiter());
        dump.put("fewshot_config", dumpedFewShot());
        dump.put("num_fewshot", (long) examples);
        copy(dump, "metric_list");
        dump.put("output_type", type.wireName());
        if (!generationKwargs.isEmpty()) {
            dump.put("generation_kwargs", generationKwargs);
        }
        dump.put("repeats", (long) repeats);
        copy(dump, "filter_list");
        dump.put("should_decontaminate", keys.flag("should_decontaminate", false));
        copy(dump, "doc_to_decontamination_query");
        copy(dump, "gen_prefix");
        dump.put("metadata", keys.mapping("metadata").values());
        return dump;
    }

    private void copy(Map<String, @Nullable Object> into, String key) {
        if (keys.has(key)) {
            into.put(key, keys.value(key));
        }
    }

    private Map<String, @Nullable Object> dumpedFewShot() {
        Keys own = keys.mapping("fewshot_config");
        Map<String, @Nullable Object> dump = new LinkedHashMap<>();
        dump.put("sampler", fewShot.sampler());
        dump.put("split", fewShot.split());
        dump.put("process_docs", null);
        dump.put("fewshot_indices", null);
        dump.put("samples", own.value("samples"));
        for (String key : List.of("doc_to_text", "doc_to_choice", "doc_to_target", "gen_prefix")) {
            dump.put(key, own.has(key) ? own.value(key) : keys.value(key));
        }
        dump.put("fewshot_delimiter", fewShot.delimiter());
        dump.put("target_delimiter", fewShot.targetDelimiter());
        return dump;
    }
}
