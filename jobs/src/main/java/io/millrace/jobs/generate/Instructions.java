package io.millrace.jobs.generate;

import io.millrace.udf.TextMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Instructions in a numbered list that a model wrote, and which of them Self-Instruct's heuristics
/// refuse (Wang et al. 2023, section 2.3, and the filters of its published code).
final class Instructions {
    private static final Pattern ITEM = Pattern.compile("(?m)^[ \\t]*(?:Task[ \\t]+)?\\d{1,3}[.:)][ \\t]*");
    private static final int FEWEST_WORDS = 4;
    private static final int MOST_WORDS = 150;
    /// What a model that reads and writes text only cannot do.
    private static final Set<String> UNABLE = new TreeSet<>(Set.of(
            "image",
            "images",
            "graph",
            "graphs",
            "picture",
            "pictures",
            "file",
            "files",
            "map",
            "maps",
            "draw",
            "plot",
            "video",
            "audio",
            "music",
            "flowchart",
            "diagram"));
    private static final String UNABLE_PHRASE = "go to";
    private static final String PROGRAM = "write a program";

    private Instructions() {}

    /// The list's items in order. What stands before the first number is an item too if the list was to
    /// go on from a number that the prompt had.
    static List<String> of(String text) {
        List<String> items = new ArrayList<>();
        Matcher number = ITEM.matcher(text);
        int start = 0;
        while (number.find()) {
            add(items, text.substring(start, number.start()));
            start = number.end();
        }
        add(items, text.substring(start));
        return items;
    }

    private static void add(List<String> items, String item) {
        String stripped = item.strip().replaceAll("\\s+", " ");
        if (!stripped.isEmpty()) {
            items.add(stripped);
        }
    }

    /// Why an instruction is refused; null if it is not.
    static @Nullable String refusal(String instruction) {
        List<String> words = TextMetrics.words(instruction);
        if (words.size() < FEWEST_WORDS) {
            return "too-short";
        }
        if (words.size() > MOST_WORDS) {
            return "too-long";
        }
        String lower = instruction.toLowerCase(Locale.ROOT);
        if (words.stream().anyMatch(UNABLE::contains) || String.join(" ", words).contains(UNABLE_PHRASE)) {
            return "beyond-text";
        }
        if (lower.startsWith(PROGRAM)) {
            return "program";
        }
        return Character.isLetterOrDigit(instruction.codePointAt(0)) ? null : "begins-oddly";
    }
}
