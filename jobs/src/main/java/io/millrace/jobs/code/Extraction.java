package io.millrace.jobs.code;

import io.millrace.udf.PromptFormat;
import io.millrace.udf.sandbox.Examiner.Language;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds the program in what a model wrote.
final class Extraction {
    /// A fenced block; one that is not closed goes to the end.
    private static final Pattern FENCE =
            Pattern.compile("^[ \\t]*```[ \\t]*([\\w+-]*)[^\\n]*\\n(.*?)(?:^[ \\t]*```|\\z)", Pattern.DOTALL | Pattern.MULTILINE);

    private static final Pattern JAVA_CLASS = Pattern.compile("\\bclass\\s+Solution\\b");

    private Extraction() {}

    /// The program without its tests.
    ///
    /// @param text a continuation of the task's prompt if that was handed over raw, else an answer to its instruction
    static String solution(CodeTask task, List<String> stops, PromptFormat format, String text) {
        if (format == PromptFormat.RAW) {
            return task.preamble() + continuation(task.language(), stops, text);
        }
        String code = fenced(task.language(), text);
        // an answer that only goes on where the class stood open is taken as it is meant
        boolean goesOn = task.language() == Language.JAVA
                && !JAVA_CLASS.matcher(code).find();
        return goesOn ? task.preamble() + continuation(Language.JAVA, stops, code) : task.header() + code;
    }

    /// What of a continuation belongs to the task: up to the first stop string; of Java up to the brace that closes
    /// the class.
    static String continuation(Language language, List<String> stops, String text) {
        int end = text.length();
        for (String stop : stops) {
            int at = text.indexOf(stop);
            end = at < 0 ? end : Math.min(end, at);
        }
        String cut = text.substring(0, end);
        return language == Language.JAVA ? JavaBraces.closed(cut) : cut;
    }

    /// The first block of the language, else the first of any, else the whole text.
    static String fenced(Language language, String text) {
        String first = null;
        Matcher block = FENCE.matcher(text);
        while (block.find()) {
            if (block.group(1).equalsIgnoreCase(language.wireName())) {
                return block.group(2);
            }
            first = first == null ? block.group(2) : first;
        }
        return first == null ? text : first;
    }
}
