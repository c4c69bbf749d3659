package io.millrace.jobs.evaluate;

import java.util.List;
import java.util.Locale;

/// What a task asks the model for.
enum OutputType {
    /// How likely each of some continuations is.
    MULTIPLE_CHOICE("acc", "acc_norm"),
    /// A continuation.
    GENERATE_UNTIL("exact_match"),
    /// How likely the target is behind its context.
    LOGLIKELIHOOD("perplexity", "acc"),
    /// How likely a whole text is.
    LOGLIKELIHOOD_ROLLING("word_perplexity", "byte_perplexity", "bits_per_byte");

    @SuppressWarnings("ImmutableEnumChecker") // List.of
    private final List<String> metrics;

    OutputType(String... metrics) {
        this.metrics = List.of(metrics);
    }

    /// Those of a task that names none.
    List<String> defaultMetrics() {
        return metrics;
    }

    String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    static OutputType of(Keys keys) {
        String word = keys.text("output_type", GENERATE_UNTIL.wireName());
        for (OutputType type : values()) {
            if (type.wireName().equals(word)) {
                return type;
            }
        }
        throw keys.wrong("output_type", "one of " + List.of(values()).toString().toLowerCase(Locale.ROOT), word);
    }
}
