package io.millrace.jobs.generate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the data set is to look like: the group `dataset` of a pipeline file.
///
/// @param system system prompt that every conversation begins with, or null
/// @param splits share of the seeds by name of the split; shares sum to 1
/// @param license by the Hub's names
record HubLayout(
        Shape shape,
        @Nullable String system,
        Map<String, Double> splits,
        long rowsPerFile,
        String license,
        List<String> languages,
        List<String> taskCategories,
        List<String> tags,
        @Nullable String prettyName,
        @Nullable String description) {

    /// Columns beside `metadata`.
    enum Shape {
        /// `messages`: the conversation.
        MESSAGES,
        /// `prompt`, `chosen`, `rejected`: each a list of messages.
        PREFERENCE,
        /// `prompt` and `completion`: plain texts.
        PROMPT_COMPLETION
    }

    private static final double ROUNDING = 1e-9;

    static HubLayout read(Parameters parameters) {
        String shape = parameters.choice("format", "messages", List.of("messages", "preference", "prompt-completion"));
        HubLayout layout = new HubLayout(
                Shape.valueOf(shape.toUpperCase(Locale.ROOT).replace('-', '_')),
                parameters.optional("system"),
                splits(parameters),
                parameters.whole("rows-per-file", 100_000, 1),
                parameters.text("license", "unknown"),
                parameters.texts("language", List.of()),
                parameters.texts("task-categories", List.of("text-generation")),
                parameters.texts("tags", List.of("synthetic")),
                parameters.optional("pretty-name"),
                parameters.optional("description"));
        parameters.refuseUnknown();
        return layout;
    }

    private static Map<String, Double> splits(Parameters parameters) {
        Map<String, Double> splits = new LinkedHashMap<>();
        if (!parameters.has("splits")) {
            return Map.of("train", 1.0);
        }
        double sum = 0;
        for (Map.Entry<String, JsonNode> split :
                parameters.below("splits").entries().entrySet()) {
            double share = split.getValue().asDouble(-1);
            if (!split.getKey().matches("[a-z][a-z0-9_]*") || share <= 0) {
                parameters.wrong("splits", "names of letters, digits and _ with shares > 0", split);
            }
            splits.put(split.getKey(), share);
            sum += share;
        }
        if (Math.abs(sum - 1) > ROUNDING) {
            parameters.wrong("splits", "shares that sum to 1", sum);
        }
        return splits;
    }
}
