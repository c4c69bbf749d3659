package io.millrace.jobs.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/// A measure of a task.
///
/// @param options what the file gives with it, such as `ignore_case`
record Metric(String name, Aggregation aggregation, boolean higherIsBetter, Keys options) {
    static final String ACC = "acc";
    static final String ACC_NORM = "acc_norm";
    static final String ACC_BYTES = "acc_bytes";
    static final String ACC_MUTUAL_INFO = "acc_mutual_info";
    static final String EXACT_MATCH = "exact_match";
    static final String PERPLEXITY = "perplexity";
    static final String WORD_PERPLEXITY = "word_perplexity";
    static final String BYTE_PERPLEXITY = "byte_perplexity";
    static final String BITS_PER_BYTE = "bits_per_byte";

    /// Of instructions: whether all of a document's are followed, and how many of all; of the answer as it
    /// is, and of what is left of it without what a model may have put around it.
    static final String PROMPT_STRICT = "prompt_level_strict_acc";
    static final String INSTRUCTION_STRICT = "inst_level_strict_acc";
    static final String PROMPT_LOOSE = "prompt_level_loose_acc";
    static final String INSTRUCTION_LOOSE = "inst_level_loose_acc";

    private static final List<String> OF_INSTRUCTIONS =
            List.of(PROMPT_STRICT, INSTRUCTION_STRICT, PROMPT_LOOSE, INSTRUCTION_LOOSE);
    private static final Set<String> LOWER = Set.of(PERPLEXITY, WORD_PERPLEXITY, BYTE_PERPLEXITY, BITS_PER_BYTE);

    static List<Metric> of(Keys task, OutputType type) {
        List<Metric> metrics = new ArrayList<>();
        boolean instructions = Task.INSTRUCTION_FOLLOWING.equals(task.value("process_results"));
        List<String> known = instructions ? OF_INSTRUCTIONS : known(type);
        if (!task.has("metric_list")) {
            for (String name : instructions ? OF_INSTRUCTIONS : type.defaultMetrics()) {
                metrics.add(new Metric(name, Aggregation.usual(name), !LOWER.contains(name), task));
            }
            return metrics;
        }
        for (Keys options : task.mappings("metric_list")) {
            String name = options.required("metric");
            if (!known.contains(name)) {
                throw options.wrong("metric", "one of " + known + " with " + type.wireName(), name);
            }
            metrics.add(new Metric(
                    name,
                    options.has("aggregation") ? Aggregation.of(options) : Aggregation.usual(name),
                    options.flag("higher_is_better", !LOWER.contains(name)),
                    options));
        }
        // the harness's order, in which it writes them down
        metrics.sort(Comparator.comparingInt(metric -> known.indexOf(metric.name())));
        return metrics;
    }

    private static List<String> known(OutputType type) {
        return switch (type) {
            case MULTIPLE_CHOICE -> List.of(ACC, ACC_NORM, ACC_BYTES, EXACT_MATCH, ACC_MUTUAL_INFO);
            case GENERATE_UNTIL -> List.of(EXACT_MATCH);
            case LOGLIKELIHOOD -> List.of(PERPLEXITY, ACC);
            case LOGLIKELIHOOD_ROLLING -> List.of(WORD_PERPLEXITY, BYTE_PERPLEXITY, BITS_PER_BYTE);
        };
    }
}
