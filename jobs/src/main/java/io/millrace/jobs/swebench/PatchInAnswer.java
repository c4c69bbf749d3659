package io.millrace.jobs.swebench;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The patch that a model's answer holds.
///
/// As the official extraction has it: what is between `<patch>` or `<diff>` tags or in a fence of that name
/// counts before what is in any other tag or fence, and the first before the others. Where it takes the
/// whole answer for a patch if there is neither, here the answer must hold the header of a diff, and
/// the patch begins there: prose alone is an empty patch and no patch that does not apply.
final class PatchInAnswer {
    private static final Pattern TAGGED = Pattern.compile("<([\\w-]+)>(.*?)</\\1>", Pattern.DOTALL);
    private static final Pattern FENCED = Pattern.compile("```(\\w+)?\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern HEADER =
            Pattern.compile("^(?:diff --git .*|--- \\S.*\\R\\+\\+\\+ \\S.*)$", Pattern.MULTILINE);

    private PatchInAnswer() {}

    /// @return with a newline at its end and none of DOS; "" if the answer holds none
    static String of(@Nullable String answer) {
        if (answer == null) {
            return "";
        }
        String text = answer.replace("\r\n", "\n");
        List<String> named = new ArrayList<>();
        List<String> others = new ArrayList<>();
        collect(TAGGED.matcher(text), named, others);
        collect(FENCED.matcher(text), named, others);
        if (!named.isEmpty()) {
            return clean(named.getFirst());
        }
        List<String> candidates = new ArrayList<>(others);
        candidates.add(text);
        for (String candidate : candidates) {
            Matcher header = HEADER.matcher(candidate);
            if (header.find()) {
                return clean(candidate.substring(header.start()));
            }
        }
        return "";
    }

    private static void collect(Matcher found, List<String> named, List<String> others) {
        while (found.find()) {
            String name = found.group(1);
            ("diff".equals(name) || "patch".equals(name) ? named : others).add(found.group(2));
        }
    }

    /// A tag around a fence is common.
    private static String clean(String patch) {
        Matcher fence = FENCED.matcher(patch);
        String inner = fence.find() ? fence.group(2) : patch;
        while (inner.startsWith("\n")) {
            inner = inner.substring(1);
        }
        return inner.isBlank() ? "" : inner.endsWith("\n") ? inner : inner + "\n";
    }
}
