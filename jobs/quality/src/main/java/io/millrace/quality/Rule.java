package io.millrace.quality;

import org.jspecify.annotations.Nullable;

/// One line of judgement, as the rules file has it.
///
/// @param name unique in its file; lower-case words joined by hyphens
/// @param level what it means when the rule fails
/// @param description why the rule exists; may be empty
/// @param expectation what it asks of the rows
/// @param where SQL predicate that narrows the rows asked about; null asks about all
/// @param line in the file, from 1
record Rule(
        String name,
        Level level,
        String description,
        Expectation expectation,
        @Nullable String where,
        int line) {

    /// What the rule asks for, in words, with the rows it is about: a narrowed denominator is always said.
    String words() {
        return where == null ? expectation.words() : expectation.words() + ", over the rows where " + where;
    }
}
