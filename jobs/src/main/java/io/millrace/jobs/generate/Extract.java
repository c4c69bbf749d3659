package io.millrace.jobs.generate;

import java.io.Serializable;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What of a text is compared: the last match of a pattern, its first group if it has one; lower-case,
/// runs of white space as one space.
record Extract(Pattern pattern) implements Serializable {

    /// @return null if the pattern is not found
    @Nullable
    String from(String text) {
        Matcher matcher = pattern.matcher(text);
        String found = null;
        while (matcher.find()) {
            found = matcher.groupCount() > 0 ? matcher.group(1) : matcher.group();
        }
        return found == null ? null : found.strip().replaceAll("\\s+", " ").toLowerCase(Locale.ROOT);
    }
}
