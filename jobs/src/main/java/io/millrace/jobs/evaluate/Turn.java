package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A part of a prompt: words of the task (`system`), a question (`user`) or an answer (`assistant`).
///
/// @param delimiter what follows in plain text
record Turn(String role, String content, String delimiter) {

    /// A question with its answer, without one, or with the beginning of one.
    ///
    /// @param answer null for the question that is asked
    /// @param prefix how the answer begins; null or empty for nothing
    static List<Turn> of(
            String question,
            @Nullable String answer,
            @Nullable String prefix,
            String targetDelimiter,
            String delimiter) {
        List<Turn> turns = new ArrayList<>();
        boolean answered = answer != null && !answer.isEmpty();
        String begun = prefix == null ? "" : prefix;
        boolean apart = begun.isEmpty() ? answered : !question.isEmpty() && !isSpaced(question, begun);
        turns.add(new Turn("user", question, apart ? targetDelimiter : ""));
        if (answered) {
            turns.add(new Turn("assistant", joined(prefix, answer, " "), delimiter));
        } else if (!begun.isEmpty()) {
            turns.add(new Turn("assistant", begun, ""));
        }
        return turns;
    }

    /// Both with the delimiter between, unless one is empty or there is space already.
    static String joined(@Nullable String first, @Nullable String second, String delimiter) {
        if (first == null || first.isEmpty()) {
            return second == null ? "" : second;
        }
        if (second == null || second.isEmpty()) {
            return first;
        }
        return isSpaced(first, second) ? first + second : first + delimiter + second;
    }

    private static boolean isSpaced(String first, String second) {
        return PythonText.isSpace(first.charAt(first.length() - 1)) || PythonText.isSpace(second.charAt(0));
    }

    static String plain(List<Turn> turns) {
        StringBuilder text = new StringBuilder();
        turns.forEach(turn -> text.append(turn.content()).append(turn.delimiter()));
        return text.toString();
    }

    /// As a conversation: examples as turns of their own, or all in one turn of the user.
    static List<Map<String, String>> chat(List<Turn> turns, boolean multiTurn) {
        List<Map<String, String>> messages = new ArrayList<>();
        if (multiTurn) {
            turns.forEach(turn -> messages.add(message(turn.role(), turn.content())));
            return messages;
        }
        List<Turn> rest = turns;
        if (rest.getFirst().role().equals("system")) {
            messages.add(message("system", rest.getFirst().content()));
            rest = rest.subList(1, rest.size());
        }
        Turn last = rest.getLast();
        boolean begun = last.role().equals("assistant");
        List<Turn> asked = begun ? rest.subList(0, rest.size() - 1) : rest;
        String text =
                plain(asked.subList(0, asked.size() - 1)) + asked.getLast().content();
        messages.add(message("user", text));
        if (begun) {
            messages.add(message("assistant", last.content()));
        }
        return messages;
    }

    private static Map<String, String> message(String role, String content) {
        Map<String, String> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }
}
