package io.millrace.quality;

import java.util.Arrays;
import java.util.stream.Collectors;

/// What a failed rule means for the run, mildest first.
public enum Level {
    /// Nothing failed. Not a level that a rule can have.
    NONE("none"),
    /// Worth a line in the report.
    WARN("warn"),
    /// The rows that break the rule are set aside; the run stands.
    QUARANTINE("quarantine"),
    /// The run fails its gate.
    FAIL_RUN("fail-run");

    private final String word;

    Level(String word) {
        this.word = word;
    }

    /// The word in files.
    public String word() {
        return word;
    }

    /// @throws IllegalArgumentException when the word names no level of a rule; the message lists those that
    ///     do
    static Level of(String word) {
        for (Level level : values()) {
            if (level != NONE && level.word.equals(word)) {
                return level;
            }
        }
        throw new IllegalArgumentException("expected one of " + words() + ", got \"" + word + "\"");
    }

    private static String words() {
        return Arrays.stream(values())
                .filter(level -> level != NONE)
                .map(Level::word)
                .collect(Collectors.joining(", "));
    }
}
