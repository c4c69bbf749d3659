package io.millrace.udf;

import java.util.Locale;

/// What becomes of a row whose prompt has more tokens than it may have.
public enum OverlongPolicy {
    /// The end of the text is left out.
    TRUNCATE_END,
    /// The start of the text is left out, as evaluations do that end in the question.
    TRUNCATE_START,
    /// The middle of the text is left out, and a mark shows where.
    TRUNCATE_MIDDLE,
    /// The row becomes an error row.
    ERROR;

    /// The word in configuration files: `truncate-end`, `truncate-start`, `truncate-middle`, `error`.
    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
