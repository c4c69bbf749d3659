package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.python.PythonRegex;
import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// What becomes of a document's answers before they are judged; the last step leaves one of them.
record FilterPipeline(String name, List<Step> steps) {
    private static final String DEFAULT_REGEX = "#### (\\-?[0-9\\.\\,]+)";
    private static final String NO_MATCH = "[invalid]";

    /// Answers of one request, one for each repeat, to what is left of them.
    interface Step {
        List<String> apply(List<String> answers);
    }

    static List<FilterPipeline> of(Keys task) {
        if (!task.has("filter_list")) {
            return List.of(new FilterPipeline("none", List.of(answers -> answers.subList(0, 1))));
        }
        List<FilterPipeline> pipelines = new ArrayList<>();
        for (Keys pipeline : task.mappings("filter_list")) {
            pipelines.add(new FilterPipeline(
                    pipeline.required("name"),
                    pipeline.mappings("filter").stream()
                            .map(FilterPipeline::step)
                            .toList()));
        }
        return pipelines;
    }

    private static Step step(Keys keys) {
        return switch (keys.required("function")) {
            case "take_first" -> answers -> answers.subList(0, 1);
            case "take_first_k" -> {
                int count = (int) keys.whole("k", 1);
                yield answers -> answers.subList(0, count);
            }
            case "majority_vote" -> answers -> List.of(majority(answers));
            case "regex" -> regex(keys);
            case "remove_whitespace" -> each(PythonText::strip);
            case "lowercase" -> each(answer -> answer.toLowerCase(Locale.ROOT));
            case "uppercase" -> each(answer -> answer.toUpperCase(Locale.ROOT));
            case "map" -> {
                Map<String, ?> mapping = keys.mapping("mapping_dict").values();
                String otherwise = keys.text("default_value", "None");
                yield each(answer -> mapping.containsKey(answer) ? PythonText.str(mapping.get(answer)) : otherwise);
            }
            case String other ->
                throw keys.wrong(
                        "function",
                        "take_first, take_first_k, majority_vote, regex, remove_whitespace, lowercase, uppercase or map",
                        other);
        };
    }

    private static Step each(UnaryOperator<String> change) {
        return answers -> answers.stream().map(change).toList();
    }

    /// The most frequent; of several the one that came first.
    private static String majority(List<String> answers) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        answers.forEach(answer -> counts.merge(answer, 1, Integer::sum));
        String best = answers.getFirst();
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            if (entry.getValue() > counts.getOrDefault(best, 0)) {
                best = entry.getKey();
            }
        }
        return best;
    }

    private static Step regex(Keys keys) {
        PythonRegex regex;
        try {
            regex = PythonRegex.compile(keys.text("regex_pattern", DEFAULT_REGEX));
        } catch (PatternSyntaxException e) {
            throw keys.wrong("regex_pattern", "a regular expression (" + e.getDescription() + ")", e.getPattern());
        }
        int which = (int) keys.whole("group_select", 0);
        String fallback = keys.text("fallback", NO_MATCH);
        return each(answer -> {
            String match = selected(regex.findAll(answer), which);
            return match == null ? fallback : PythonText.strip(match);
        });
    }

    /// Of several groups the first that is not empty; null if there is nothing to select.
    private static @Nullable String selected(List<List<String>> matches, int which) {
        int index = which < 0 ? which + matches.size() : which;
        if (matches.isEmpty()) {
            return null;
        }
        if (index < 0 || index >= matches.size()) {
            throw new TaskException("group_select: expected one of " + matches.size() + " matches, got " + which);
        }
        List<String> groups = matches.get(index);
        return groups.size() == 1
                ? groups.getFirst()
                : groups.stream().filter(group -> !group.isEmpty()).findFirst().orElse(null);
    }

    /// The one answer that is judged.
    String judged(List<String> answers) {
        List<String> left = answers;
        for (Step step : steps) {
            left = step.apply(left);
        }
        if (left.size() != 1) {
            throw new TaskException("filter " + name + ": expected one answer at its end, got " + left.size()
                    + "; end it with take_first or majority_vote");
        }
        return left.getFirst();
    }
}
