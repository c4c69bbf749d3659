package io.millrace.jobs.code;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.udf.sandbox.Examiner.Language;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// A benchmark, as its own files tell it.
enum CodeSuite {
    /// OpenAI's: complete a Python function after its signature and docstring.
    HUMANEVAL(Language.PYTHON, List.of("\nclass", "\ndef", "\n#", "\nif", "\nprint")) {
        @Override
        List<CodeTask> tasks(List<JsonNode> records) {
            return records.stream().map(CodeSuite::humanEval).toList();
        }
    },

    /// HumanEval-X, its Java part: complete a method in a class.
    HUMANEVAL_JAVA(Language.JAVA, List.of()) {
        @Override
        List<CodeTask> tasks(List<JsonNode> records) {
            return records.stream().map(CodeSuite::humanEvalJava).toList();
        }
    },

    /// Google's: write a Python function that fulfils a sentence and three tests; the 500 tasks of its test
    /// part (11 to 510), after the three examples that its authors show (2, 3 and 4).
    MBPP(Language.PYTHON, List.of(CodeSuite.DONE)) {
        @Override
        List<CodeTask> tasks(List<JsonNode> records) {
            String examples = records.stream()
                    .filter(task -> isIn(task, 2, 4))
                    .map(task -> mbppPrompt(task) + lines(task, "code") + "\n" + DONE + "\n\n")
                    .collect(Collectors.joining());
            return records.stream()
                    .filter(task -> isIn(task, 11, 510))
                    .map(task -> mbpp(task, examples))
                    .toList();
        }
    };

    private static final String DONE = "[DONE]";

    private final Language language;

    @SuppressWarnings("ImmutableEnumChecker") // List.of
    private final List<String> stops;

    CodeSuite(Language language, List<String> stops) {
        this.language = language;
        this.stops = stops;
    }

    /// As the command line has it.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    Language language() {
        return language;
    }

    /// Where a continuation of the prompt has left the task.
    List<String> stops() {
        return stops;
    }

    /// @param records of the suite's file
    abstract List<CodeTask> tasks(List<JsonNode> records);

    private static CodeTask humanEval(JsonNode task) {
        String prompt = text(task, "prompt");
        return new CodeTask(
                text(task, "task_id"),
                Language.PYTHON,
                prompt,
                "Complete this Python function. Answer with the whole function, with everything that it needs, in one"
                        + " fenced code block.\n\n" + fenced("python", prompt),
                prompt,
                // the helpers that some prompts define; the function itself is defined again by the answer
                prompt + "\n    pass\n\n",
                text(task, "test") + "\ncheck(" + text(task, "entry_point") + ")\n",
                text(task, "canonical_solution"));
    }

    private static CodeTask humanEvalJava(JsonNode task) {
        String prompt = text(task, "prompt");
        String imports =
                prompt.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n", "", "\n"));
        return new CodeTask(
                text(task, "task_id"),
                Language.JAVA,
                prompt,
                "Complete this Java class. Answer with the whole class, with its imports, in one fenced code block.\n\n"
                        + fenced("java", prompt),
                prompt,
                imports,
                text(task, "test"),
                text(task, "canonical_solution"));
    }

    private static CodeTask mbpp(JsonNode task, String examples) {
        String sentence = mbppTask(task);
        return new CodeTask(
                "Mbpp/" + task.required("task_id").asInt(),
                Language.PYTHON,
                examples + mbppPrompt(task),
                sentence + "\nAnswer with the code in one fenced code block.",
                "",
                "",
                lines(task, "test_setup_code") + "\n" + mbppTests(task) + "\n",
                lines(task, "code"));
    }

    private static String mbppPrompt(JsonNode task) {
        return mbppTask(task) + "[BEGIN]\n";
    }

    private static String mbppTask(JsonNode task) {
        return "You are an expert Python programmer, and here is your task: " + text(task, "text")
                + " Your code should pass these tests:\n\n" + mbppTests(task) + "\n";
    }

    private static String mbppTests(JsonNode task) {
        List<String> tests = new ArrayList<>();
        task.required("test_list").forEach(test -> tests.add(test.asText()));
        return String.join("\n", tests);
    }

    private static boolean isIn(JsonNode task, int first, int last) {
        int id = task.required("task_id").asInt();
        return first <= id && id <= last;
    }

    private static String fenced(String language, String code) {
        return "```" + language + "\n" + code.strip() + "\n```";
    }

    private static String lines(JsonNode task, String field) {
        return text(task, field).replace("\r\n", "\n");
    }

    private static String text(JsonNode task, String field) {
        JsonNode value = task.get(field);
        if (value == null || !value.isTextual()) {
            throw new IllegalArgumentException("expected a text " + field + ", got " + value);
        }
        return value.textValue();
    }
}
