package io.millrace.jobs.swebench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// What a model is asked: the issue, files with numbered lines, and the shape of the answer, in the
/// tags of the official prompts.
final class PatchPrompt {
    private static final String EXAMPLE = """
            <patch>
            diff --git a/greeting.py b/greeting.py
            --- a/greeting.py
            +++ b/greeting.py
            @@ -1,3 +1,3 @@
             def greet(name):
            -    return "Hello" + name
            +    return "Hello, " + name
             # end of file
            </patch>
            """;

    private PatchPrompt() {}

    /// @param tree the repository at the base commit
    static String of(Instance instance, SourceTree tree, PromptContext context) throws IOException {
        StringBuilder prompt = new StringBuilder();
        prompt.append("Below are an issue that was reported for a code base, and some of its files. ");
        prompt.append("Solve the issue.\n<issue>\n")
                .append(instance.problem().strip())
                .append("\n</issue>\n<code>\n");
        for (String name : files(instance, tree, context)) {
            append(prompt, name, tree.read(name));
        }
        prompt.append("</code>\n");
        prompt.append("Answer with one patch that `git apply` takes, between <patch> and </patch>, in this shape:\n");
        prompt.append(EXAMPLE);
        return prompt.toString();
    }

    private static List<String> files(Instance instance, SourceTree tree, PromptContext context) throws IOException {
        if (context.kind() == PromptContext.Kind.ORACLE) {
            return UnifiedDiff.of(instance.patch()).before();
        }
        List<String> fitting = new ArrayList<>();
        long left = context.chars();
        for (String name : Bm25.search(tree, instance.problem(), context.files())) {
            int length = tree.read(name).length();
            if (length <= left) {
                fitting.add(name);
                left -= length;
            }
        }
        return fitting;
    }

    private static void append(StringBuilder prompt, String name, String text) {
        prompt.append("[start of ").append(name).append("]\n");
        int number = 1;
        for (String line : text.lines().toList()) {
            prompt.append(number++).append(' ').append(line).append('\n');
        }
        prompt.append("[end of ").append(name).append("]\n");
    }
}
