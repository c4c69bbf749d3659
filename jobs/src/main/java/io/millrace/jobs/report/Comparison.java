package io.millrace.jobs.report;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What tells two runs apart.
///
/// @param title what was paired
/// @param by what made two things a pair
/// @param pairs how many there are
/// @param onlyA things that only the first run has; likewise the second
/// @param changed pairs whose outcome is not the same
/// @param lines figures of the pairs
/// @param changes those that changed most
record Comparison(
        String title,
        String by,
        long pairs,
        long onlyA,
        long onlyB,
        long changed,
        List<Paired.Line> lines,
        List<Change> changes) {

    /// A pair that changed.
    ///
    /// @param name of it
    /// @param statusA how it ended in the first run; likewise the second
    /// @param a the first run's answer, or why there is none; likewise the second
    /// @param beside what both were compared with; null for nothing
    record Change(
            String name,
            String statusA,
            String statusB,
            @Nullable String a,
            @Nullable String b,
            @Nullable String beside)
            implements java.io.Serializable {}
}
