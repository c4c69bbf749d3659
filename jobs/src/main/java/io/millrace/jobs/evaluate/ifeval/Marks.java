package io.millrace.jobs.evaluate.ifeval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.jobs.evaluate.python.PythonRegex;
import io.millrace.jobs.evaluate.python.PythonText;
import java.util.List;
import java.util.Locale;

/// Instructions about signs that an answer has to have somewhere, at its start or at its end.
final class Marks {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();
    private static final PythonRegex PLACEHOLDER = PythonRegex.compile("\\[.*?\\]");
    private static final PythonRegex STAR = PythonRegex.compile("(?m)^\\s*\\*[^\\*].*$");
    private static final PythonRegex DASH = PythonRegex.compile("(?m)^\\s*-.*$");
    private static final PythonRegex HIGHLIGHT = PythonRegex.compile("\\*[^\\n\\*]*\\*");
    private static final PythonRegex STRONG = PythonRegex.compile("\\*\\*[^\\n\\*]*\\*\\*");
    private static final PythonRegex TITLE = PythonRegex.compile("<<[^\\n]+>>");
    private static final List<String> THREE = List.of("My answer is yes.", "My answer is no.", "My answer is maybe.");
    private static final List<String> FENCES = List.of("```json", "```Json", "```JSON", "```");

    private Marks() {}

    static Instruction placeholders(Arguments arguments) {
        long least = arguments.count("num_placeholders");
        return answer -> PLACEHOLDER.findAll(answer).size() >= least;
    }

    /// A marker is looked for anywhere, in lower case, and is a regular expression unless it is one of two.
    static Instruction postscript(Arguments arguments) {
        String marker = PythonText.strip(arguments.text("postscript_marker"));
        PythonRegex regex = PythonRegex.compile(
                switch (marker) {
                    case "P.P.S" -> "(?m)\\s*p\\.\\s?p\\.\\s?s.*$";
                    case "P.S." -> "(?m)\\s*p\\.\\s?s\\..*$";
                    default -> "(?m)\\s*" + marker.toLowerCase(Locale.ROOT) + ".*$";
                });
        return answer -> !regex.findAll(answer.toLowerCase(Locale.ROOT)).isEmpty();
    }

    static Instruction bullets(Arguments arguments) {
        long wanted = arguments.count("num_bullets");
        return answer -> STAR.findAll(answer).size() + DASH.findAll(answer).size() == wanted;
    }

    static Instruction oneOfThree(Arguments arguments) {
        return answer -> THREE.stream().anyMatch(answer::contains);
    }

    /// Between single stars or double ones; what is between double ones counts once, and empty pairs do not.
    static Instruction highlights(Arguments arguments) {
        long least = arguments.count("num_highlights");
        return answer -> full(HIGHLIGHT.findAll(answer)) + full(STRONG.findAll(answer)) >= least;
    }

    private static long full(List<List<String>> marked) {
        return marked.stream()
                .map(groups -> groups.getFirst().replace("*", ""))
                .filter(inner -> !PythonText.strip(inner).isEmpty())
                .count();
    }

    static Instruction json(Arguments arguments) {
        return answer -> {
            String value = PythonText.strip(answer);
            for (String fence : FENCES) {
                value = value.startsWith(fence) ? value.substring(fence.length()) : value;
            }
            value = value.endsWith("```") ? value.substring(0, value.length() - 3) : value;
            return isJson(PythonText.strip(value));
        };
    }

    private static boolean isJson(String text) {
        try {
            return !JSON.readTree(text).isMissingNode();
        } catch (JsonProcessingException _) {
            return false;
        }
    }

    static Instruction title(Arguments arguments) {
        return answer -> TITLE.findAll(answer).stream().map(List::getFirst).anyMatch(Marks::isTitle);
    }

    private static boolean isTitle(String marked) {
        String open = PythonText.strip(marked, c -> c == '<', true, false);
        return !PythonText.strip(PythonText.strip(open, c -> c == '>', false, true))
                .isEmpty();
    }

    static Instruction repeated(Arguments arguments) {
        String prompt = PythonText.strip(arguments.text("prompt_to_repeat")).toLowerCase(Locale.ROOT);
        return answer -> PythonText.strip(answer).toLowerCase(Locale.ROOT).startsWith(prompt);
    }

    static Instruction end(Arguments arguments) {
        String phrase = PythonText.strip(arguments.text("end_phrase")).toLowerCase(Locale.ROOT);
        return answer -> PythonText.strip(PythonText.strip(answer), c -> c == '"', true, true)
                .toLowerCase(Locale.ROOT)
                .endsWith(phrase);
    }

    static Instruction quoted(Arguments arguments) {
        return answer -> {
            String text = PythonText.strip(answer);
            return text.length() > 1 && text.startsWith("\"") && text.endsWith("\"");
        };
    }
}
