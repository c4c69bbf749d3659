package io.millrace.jobs.evaluate;

import io.millrace.udf.RowIdentity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What an evaluation found, in the shape of the harness's `results_*.json`. Keys about Python and its
/// libraries are there, since readers look for them, and hold `N/A`.
///
/// @param context keys about the run: what was evaluated, with which words and seeds
record Results(TaskSet set, Map<String, TaskScore> scores, Context context) {
    private static final String NONE = "N/A";

    /// About the run.
    ///
    /// @param model the name of the model
    /// @param engine fields of the rows' `engine`, empty if no row was answered
    /// @param limit most documents of a task; null for all
    /// @param system words before the tasks' own; null for none
    record Context(
            String model,
            Map<String, String> engine,
            @Nullable Long limit,
            Map<String, Object> generation,
            long seed,
            Question.Style style,
            @Nullable String system,
            double startedSeconds,
            double tookSeconds,
            String build) {

        /// The model as a part of a path.
        String modelFolder() {
            return model.replaceAll("[\"<>:/|\\\\?*\\[\\]]+", "__");
        }
    }

    static Results of(TaskSet set, List<TaskScore> scores, Context context) {
        Map<String, TaskScore> byName = new LinkedHashMap<>();
        scores.forEach(score -> byName.put(score.task().name(), score));
        return new Results(set, byName, context);
    }

    /// Tasks, then groups.
    Map<String, Map<String, @Nullable Object>> entries() {
        Map<String, Map<String, @Nullable Object>> entries = new LinkedHashMap<>();
        scores.forEach((name, score) -> entries.put(name, score.entry()));
        set.groups().forEach(group -> entries.put(group.name(), GroupScore.entry(group, scores)));
        return entries;
    }

    /// The whole file.
    Map<String, @Nullable Object> file() {
        Map<String, Map<String, @Nullable Object>> entries = entries();
        Map<String, @Nullable Object> file = new LinkedHashMap<>();
        file.put("results", entries);
        Map<String, @Nullable Object> groups = new LinkedHashMap<>();
        Map<String, @Nullable Object> subtasks = new LinkedHashMap<>();
        for (TaskGroup group : set.groups()) {
            subtasks.put(group.name(), group.members());
            if (!group.overall().isEmpty()) {
                groups.put(group.name(), entries.get(group.name()));
            }
        }
        if (!groups.isEmpty()) {
            file.put("groups", groups);
        }
        file.put("group_subtasks", subtasks);
        Map<String, @Nullable Object> configs = new TreeMap<>();
        Map<String, @Nullable Object> versions = new TreeMap<>();
        Map<String, @Nullable Object> examples = new TreeMap<>();
        Map<String, @Nullable Object> better = new TreeMap<>();
        Map<String, @Nullable Object> counts = new LinkedHashMap<>();
        Map<String, @Nullable Object> hashes = new LinkedHashMap<>();
        scores.forEach((name, score) -> {
            configs.put(name, score.task().dump());
            versions.put(name, score.task().version());
            examples.put(name, (long) score.task().examples());
            better.put(name, better(score.task()));
            Map<String, @Nullable Object> count = new LinkedHashMap<>();
            count.put("original", (long) score.total());
            count.put("effective", (long) score.documents());
            counts.put(name, count);
            hashes.put(name, score.taskHash());
        });
        // from the outermost group inwards, as the harness does, so that one knows of its own tasks only
        for (TaskGroup group : set.groups().reversed()) {
            versions.put(group.name(), group.version());
            common(group, examples);
            allOf(group, better);
        }
        file.put("configs", configs);
        file.put("versions", versions);
        file.put("n-shot", examples);
        file.put("higher_is_better", better);
        file.put("n-samples", counts);
        file.put("config", config());
        about(file, hashes);
        return file;
    }

    private static Map<String, @Nullable Object> better(Task task) {
        Map<String, @Nullable Object> better = new LinkedHashMap<>();
        task.metrics().forEach(metric -> better.put(metric.name(), metric.higherIsBetter()));
        return better;
    }

    /// A group has as many examples as its members, if they agree.
    private static void common(TaskGroup group, Map<String, @Nullable Object> examples) {
        TreeSet<Long> values = new TreeSet<>();
        for (String member : group.members()) {
            if (examples.get(member) instanceof Long count) {
                values.add(count);
            }
        }
        if (values.size() == 1) {
            examples.put(group.name(), values.first());
        }
    }

    private static void allOf(TaskGroup group, Map<String, @Nullable Object> better) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>();
        for (String member : group.members()) {
            if (better.get(member) instanceof Map<?, ?> own) {
                own.forEach((metric, higher) -> {
                    String name = String.valueOf(metric);
                    boolean differ = all.containsKey(name) && !Objects.equals(all.get(name), higher);
                    all.put(name, differ ? null : higher);
                });
            }
        }
        if (!all.isEmpty()) {
            better.put(group.name(), all);
        }
    }

    private Map<String, @Nullable Object> config() {
        Map<String, @Nullable Object> config = new LinkedHashMap<>();
        config.put("model", "millrace");
        config.put("model_args", Map.of("pretrained", context.model()));
        config.put("model_num_parameters", -1L);
        config.put("model_dtype", context.engine().getOrDefault("quantization", NONE));
        config.put("model_revision", context.engine().getOrDefault("revision", NONE));
        config.put("model_sha", context.engine().getOrDefault("weights_sha", ""));
        config.put("batch_size", null);
        config.put("batch_sizes", List.of());
        config.put("device", context.engine().get("device"));
        config.put("use_cache", null);
        config.put("limit", context.limit() == null ? null : (Object) (double) context.limit());
        config.put("bootstrap_iters", 100_000L);
        config.put("gen_kwargs", context.generation().isEmpty() ? null : context.generation());
        config.put("random_seed", 0L);
        config.put("numpy_seed", 1234L);
        config.put("torch_seed", 1234L);
        config.put("fewshot_seed", context.seed());
        return config;
    }

    private void about(Map<String, @Nullable Object> file, Map<String, @Nullable Object> hashes) {
        file.put("git_hash", context.build());
        file.put("date", context.startedSeconds());
        file.put("pretty_env_info", "Millrace " + context.build() + ", Java " + Runtime.version());
        file.put("transformers_version", NONE);
        file.put("lm_eval_version", NONE);
        file.put("upper_git_hash", null);
        for (String token : List.of("tokenizer_pad_token", "tokenizer_eos_token", "tokenizer_bos_token")) {
            file.put(token, List.of(NONE, NONE));
        }
        file.put("eot_token_id", null);
        file.put("max_length", null);
        file.put("task_hashes", hashes);
        file.put("model_source", "millrace");
        file.put("model_name", context.model());
        file.put("model_name_sanitized", context.modelFolder());
        file.put("system_instruction", context.system());
        file.put("system_instruction_sha", context.system() == null ? null : RowIdentity.sha256Hex(context.system()));
        file.put("fewshot_as_multiturn", context.style().multiTurn());
        file.put("chat_template", null);
        file.put("chat_template_sha", null);
        file.put("total_evaluation_time_seconds", String.valueOf(context.tookSeconds()));
    }

    /// A line for each figure, groups first.
    List<String> table() {
        List<List<String>> lines = new ArrayList<>();
        lines.add(List.of("task", "n", "errors", "shots", "filter", "metric", "value", "stderr"));
        Map<String, Map<String, @Nullable Object>> entries = entries();
        for (TaskGroup group : set.groups().reversed()) {
            figures(lines, group.name(), entries.getOrDefault(group.name(), Map.of()), "", "");
        }
        scores.forEach((name, score) -> figures(
                lines,
                name,
                entries.getOrDefault(name, Map.of()),
                String.valueOf(score.failed()),
                String.valueOf(score.task().examples())));
        return aligned(lines);
    }

    private static void figures(
            List<List<String>> lines, String name, Map<String, @Nullable Object> entry, String failed, String shots) {
        entry.forEach((key, value) -> {
            int comma = key.indexOf(',');
            if (comma > 0 && !key.substring(0, comma).endsWith("_stderr")) {
                String metric = key.substring(0, comma);
                String filter = key.substring(comma + 1);
                lines.add(List.of(
                        name,
                        String.valueOf(entry.get("sample_len")),
                        failed,
                        shots,
                        filter,
                        metric,
                        shown(value),
                        shown(entry.get(metric + "_stderr," + filter))));
            }
        });
    }

    private static String shown(@Nullable Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.4f", number) : String.valueOf(value);
    }

    private static List<String> aligned(List<List<String>> lines) {
        int[] widths = new int[lines.getFirst().size()];
        lines.forEach(line -> {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], line.get(column).length());
            }
        });
        List<String> table = new ArrayList<>();
        for (List<String> line : lines) {
            StringBuilder text = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String pad = " ".repeat(widths[column] - line.get(column).length());
                boolean number = (column >= 1 && column <= 3) || column >= 6;
                text.append(column == 0 ? "" : "  ").append(number ? pad + line.get(column) : line.get(column) + pad);
            }
            table.add(text.toString().stripTrailing());
        }
        return table;
    }
}
