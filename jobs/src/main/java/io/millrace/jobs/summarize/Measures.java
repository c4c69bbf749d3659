package io.millrace.jobs.summarize;

import io.millrace.udf.ChrF;
import io.millrace.udf.Copying;
import io.millrace.udf.Rouge;
import io.millrace.udf.Sentences;
import io.millrace.udf.WordSegments;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// Figures about one summary beside its source and its references, in the order of {@link #NAMES}.
/// Without a summary those against references are 0 and the others null; without references those are null.
final class Measures {
    /// Scores against references, all in [0, 100]; then what is told without them.
    static final List<String> NAMES = List.of(
            "rouge1",
            "rouge2",
            "rougeL",
            "rougeLsum",
            "chrf",
            "rouge1_icu",
            "rouge2_icu",
            "rougeL_icu",
            "copied_4grams",
            "longest_run",
            "coverage",
            "length_ratio");

    private static final int SCORES = 8;

    private Measures() {}

    static @Nullable Double[] of(@Nullable String source, List<String> references, @Nullable String summary) {
        @Nullable Double[] values = new @Nullable Double[NAMES.size()];
        if (!references.isEmpty()) {
            Arrays.fill(values, 0, SCORES, 0.0);
        }
        if (summary == null) {
            return values;
        }
        if (!references.isEmpty()) {
            scores(references, summary, values);
        }
        if (source != null) {
            Copying copying = Copying.of(source, summary);
            values[SCORES] = percent(copying.copiedGrams());
            values[SCORES + 1] = (double) copying.longestRun();
            values[SCORES + 2] = percent(copying.coverage());
            int chars = source.codePointCount(0, source.length());
            values[SCORES + 3] = chars == 0 ? null : 100.0 * summary.codePointCount(0, summary.length()) / chars;
        }
        return values;
    }

    private static void scores(List<String> references, String summary, @Nullable Double[] values) {
        Rouge.Scores rouge = Rouge.score(references, summary);
        Rouge.Scores icu = WordSegments.rouge(references, summary);
        String lines = lines(summary);
        double lsum = references.stream()
                .mapToDouble(reference -> Rouge.lsum(lines(reference), lines))
                .max()
                .orElse(0);
        double[] scores = {
            100 * rouge.rouge1(),
            100 * rouge.rouge2(),
            100 * rouge.rougeL(),
            100 * lsum,
            ChrF.score(references, summary),
            100 * icu.rouge1(),
            100 * icu.rouge2(),
            100 * icu.rougeL()
        };
        for (int score = 0; score < SCORES; score++) {
            values[score] = scores[score];
        }
    }

    /// A sentence on each line, as ROUGE-Lsum wants it.
    private static String lines(String text) {
        return String.join(
                "\n",
                Sentences.of(text).stream().map(line -> line.replace('\n', ' ')).toList());
    }

    private static @Nullable Double percent(OptionalDouble share) {
        return share.isPresent() ? 100 * share.getAsDouble() : null;
    }
}
