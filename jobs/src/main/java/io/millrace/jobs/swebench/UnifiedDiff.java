package io.millrace.jobs.swebench;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Which files a patch changes.
///
/// @param files in the order of the patch
record UnifiedDiff(List<Change> files) {
    private static final Pattern HUNK = Pattern.compile("@@ -\\d+(?:,(\\d+))? \\+\\d+(?:,(\\d+))? @@.*");
    private static final String NONE = "/dev/null";

    /// A changed file.
    ///
    /// @param before its name at the base; null if the patch creates it
    /// @param after its name afterwards; null if the patch deletes it
    record Change(@Nullable String before, @Nullable String after) {}

    UnifiedDiff {
        files = List.copyOf(files);
    }

    /// Reads the `---` and `+++` lines. Lines of a hunk are counted, since a removed line may look like
    /// one.
    static UnifiedDiff of(String patch) {
        List<Change> files = new ArrayList<>();
        List<String> lines = patch.lines().toList();
        for (int at = 0; at + 1 < lines.size(); at++) {
            Matcher hunk = HUNK.matcher(lines.get(at));
            if (hunk.matches()) {
                at = endOfHunk(lines, at, length(hunk.group(1)), length(hunk.group(2)));
            } else if (lines.get(at).startsWith("--- ") && lines.get(at + 1).startsWith("+++ ")) {
                files.add(new Change(name(lines.get(at)), name(lines.get(at + 1))));
                at++;
            }
        }
        return new UnifiedDiff(files);
    }

    private static int length(@Nullable String given) {
        return given == null ? 1 : Integer.parseInt(given);
    }

    /// The last line of a hunk that begins in the line after `at`.
    private static int endOfHunk(List<String> lines, int at, int removed, int added) {
        int before = removed;
        int after = added;
        int last = at;
        while ((before > 0 || after > 0) && last + 1 < lines.size()) {
            String line = lines.get(++last);
            char kind = line.isEmpty() ? ' ' : line.charAt(0);
            before -= kind == '+' || kind == '\\' ? 0 : 1;
            after -= kind == '-' || kind == '\\' ? 0 : 1;
        }
        return last;
    }

    private static @Nullable String name(String line) {
        String name = line.substring("--- ".length());
        int tab = name.indexOf('\t');
        name = (tab < 0 ? name : name.substring(0, tab)).strip();
        if (name.equals(NONE)) {
            return null;
        }
        return name.startsWith("a/") || name.startsWith("b/") ? name.substring(2) : name;
    }

    /// Files that are there before the patch.
    List<String> before() {
        return files.stream().map(Change::before).filter(Objects::nonNull).toList();
    }

    /// Files that the patch creates.
    List<String> created() {
        List<String> created = new ArrayList<>();
        for (Change change : files) {
            if (change.before() == null && change.after() != null) {
                created.add(change.after());
            }
        }
        return created;
    }

    /// Files that are there after the patch.
    List<String> after() {
        return files.stream().map(Change::after).filter(Objects::nonNull).toList();
    }
}
