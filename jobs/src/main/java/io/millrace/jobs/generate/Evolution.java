package io.millrace.jobs.generate;

import io.millrace.udf.TextMetrics;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A way to make another instruction of one (Xu et al. 2023, "WizardLM", Evol-Instruct), in words of our
/// own: four that make it harder, and one that makes one of its kind.
enum Evolution {
    CONSTRAIN("Add one condition or requirement that the answer must meet and that was not asked for before."),
    DEEPEN("Where it asks about a matter, have it ask further into that matter, or into more of its sides."),
    CONCRETIZE("Put something particular in the place of what it says in general."),
    REASON("Have it need several steps of thought where one or few were enough."),
    BREADTH("");

    private static final String OTHER = """
            Below is an instruction. Write a different one from the same field that fewer people would think of, about \
            as long and about as hard. It must make sense to a person and be possible to follow. Write the new \
            instruction and nothing else.

            Instruction:
            {text}
            """;

    private final String how;

    Evolution(String how) {
        this.how = how;
    }

    /// What is asked of the model; `{text}` is the instruction.
    String template() {
        return this == BREADTH ? OTHER : String.format(Locale.ROOT, """
            Rewrite the instruction below so that it is somewhat harder to follow, though a person could still \
            understand and follow it. %s
            Keep everything that it gives to work on, such as tables, code or quoted text. Make it at most twenty \
            words longer. Write the new instruction and nothing else.

            Instruction:
            {text}
            """, how);
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @throws IllegalArgumentException if there is no such way
    static Evolution ofWord(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    /// What a prompt of these says and an instruction does not.
    private static final List<String> LEAKS =
            List.of("rewrite the instruction", "new instruction", "instruction below", "rewritten instruction");

    private static final int SHORT = 80;

    /// Function words of English; a text of nothing else asks for nothing.
    private static final Set<String> STOP_WORDS = new TreeSet<>(Set.of(
            "a", "an", "and", "are", "as", "at", "be", "but", "by", "do", "for", "from", "has", "have", "he", "her",
            "his", "i", "if", "in", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "she", "so",
            "that", "the", "their", "them", "they", "this", "to", "was", "we", "were", "will", "with", "you", "your"));

    /// Why an evolved instruction is of no use (the paper's section 3.2, but for the comparison that
    /// needs a model of its own: here one that only says the same words is refused); null if it is.
    static @Nullable String refusal(String before, String after) {
        List<String> words = TextMetrics.words(after);
        if (words.stream().allMatch(STOP_WORDS::contains)) {
            return "empty";
        }
        if (words.equals(TextMetrics.words(before))) {
            return "unchanged";
        }
        if (words.contains("sorry") && words.size() < SHORT) {
            return "refused";
        }
        String lower = after.toLowerCase(Locale.ROOT);
        return LEAKS.stream().anyMatch(lower::contains) ? "prompt-leak" : null;
    }
}
