package io.millrace.quality;

import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// One line of judgement, as the rules file has it.
///
/// @param name unique in its file; lower-case words joined by hyphens
/// @param level what it means when the rule fails
/// @param description why the rule exists; may be empty
/// @param expectation what it asks of the rows
/// @param where SQL predicate that narrows the rows asked about; null asks about all
/// @param retry of level `quarantine`: parameters of sampling, by the names of the configuration, for the
///     first retry of a row that breaks the rule, the second, and so on; empty for no retry
/// @param line in the file, from 1
record Rule(
        String name,
        Level level,
        String description,
        Expectation expectation,
        @Nullable String where,
        List<SortedMap<String, Double>> retry,
        int line) {

    Rule {
        retry = List.copyOf(retry);
    }

    /// What the rule asks for, in words, with the rows it is about: a narrowed denominator is always said.
    String words() {
        return where == null ? expectation.words() : expectation.words() + ", over the rows where " + where;
    }
}
