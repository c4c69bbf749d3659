package io.millrace.jobs.evaluate.ifeval;

import io.millrace.jobs.evaluate.python.PythonRegex;
import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// Instructions about the parts of an answer.
final class Parts {
    private static final PythonRegex STARS = PythonRegex.compile("\\s?\\*\\*\\*\\s?");

    private Parts() {}

    /// Between rows of three stars, of which none is empty but the first and the last.
    static Instruction starredParagraphs(Arguments arguments) {
        long wanted = arguments.count("num_paragraphs");
        return answer -> {
            List<String> parts = STARS.split(answer);
            long full = parts.stream().filter(Parts::isFull).count();
            return full == wanted && IntStream.range(1, parts.size() - 1).allMatch(at -> isFull(parts.get(at)));
        };
    }

    private static boolean isFull(String text) {
        return !PythonText.strip(text).isEmpty();
    }

    /// Between empty lines. The place counts all parts, the number only full ones.
    static Instruction firstWord(Arguments arguments) {
        long wanted = arguments.count("num_paragraphs");
        long nth = arguments.count("nth_paragraph");
        String word = arguments.text("first_word").toLowerCase(Locale.ROOT);
        if (nth > wanted) {
            throw arguments.wrong("nth_paragraph", "at most num_paragraphs");
        }
        return answer -> {
            List<String> parts = pieces(answer, "\n\n");
            long full = parts.stream().filter(Parts::isFull).count();
            if (nth > full) {
                return false;
            }
            String part = PythonText.strip(parts.get((int) nth - 1));
            return !part.isEmpty() && full == wanted && firstWord(part).equals(word);
        };
    }

    private static List<String> pieces(String text, String delimiter) {
        return List.of(text.split(Pattern.quote(delimiter), -1));
    }

    /// In lower case, without quotes before it, up to a sign that ends it.
    private static String firstWord(String part) {
        int end = 0;
        while (end < part.length() && !PythonText.isSpace(part.charAt(end))) {
            end++;
        }
        String word = PythonText.strip(part.substring(0, end), c -> c == '\'', true, false);
        word = PythonText.strip(word, c -> c == '"', true, false);
        end = 0;
        while (end < word.length() && ".,?!'\"".indexOf(word.charAt(end)) < 0) {
            end++;
        }
        return word.substring(0, end).toLowerCase(Locale.ROOT);
    }

    /// A splitter is a regular expression.
    static Instruction sections(Arguments arguments) {
        long least = arguments.count("num_sections");
        PythonRegex start =
                PythonRegex.compile("\\s?" + PythonText.strip(arguments.text("section_spliter")) + "\\s?\\d+\\s?");
        return answer -> start.split(answer).size() - 1 >= least;
    }

    /// Two that differ, between rows of six stars, with nothing empty between them.
    static Instruction twoAnswers(Arguments arguments) {
        return answer -> {
            List<String> parts = pieces(answer, "******");
            List<String> full = new ArrayList<>();
            for (int index = 0; index < parts.size(); index++) {
                String part = PythonText.strip(parts.get(index));
                if (!part.isEmpty()) {
                    full.add(part);
                } else if (index != 0 && index != parts.size() - 1) {
                    return false;
                }
            }
            return full.size() == 2 && !full.get(0).equals(full.get(1));
        };
    }
}
