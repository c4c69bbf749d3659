package io.millrace.jobs;

import java.util.List;

/// What is asked of one start of a run, beside its configuration.
///
/// @param command the command line, without the program's name
/// @param retryErrors whether rows that failed are computed again
/// @param retries whether rows that the gate sets aside are
/// @param report whether a page about it is written at its end
public record RunRequest(
        List<String> command, IfDifferent ifDifferent, boolean retryErrors, GateRetries retries, boolean report) {

    public RunRequest {
        command = List.copyOf(command);
    }

    /// Without retries of what the gate sets aside, and without a page.
    public RunRequest(List<String> command, IfDifferent ifDifferent, boolean retryErrors) {
        this(command, ifDifferent, retryErrors, GateRetries.NONE, false);
    }

    /// The same of a stage of a job, which writes one page about all of it.
    public RunRequest withoutReport() {
        return new RunRequest(command, ifDifferent, retryErrors, retries, false);
    }

    /// How rows that the gate sets aside are computed again.
    ///
    /// @param rounds how often in this start, each time followed by another verdict
    /// @param limit how often a row is at most, over all starts of the run
    public record GateRetries(int rounds, int limit) {
        public static final GateRetries NONE = new GateRetries(0, 0);
        /// Every row that is set aside once, however often it was before.
        public static final GateRetries ONCE_MORE = new GateRetries(1, Integer.MAX_VALUE);

        /// Until nothing is set aside, or every row that is has been retried so often.
        public static GateRetries upTo(int limit) {
            return new GateRetries(limit, limit);
        }

        boolean areAsked() {
            return rounds > 0;
        }
    }

    /// What becomes of the run that an output directory holds if it was another: made with other settings,
    /// or of other input.
    public enum IfDifferent {
        /// It stays, and nothing is done.
        REFUSE,
        /// What differs is done again in its place.
        REDO,
        /// It is set aside, even if it does not differ, and a new run begins.
        NEW_RUN
    }
}
