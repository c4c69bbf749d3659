package io.millrace.jobs;

import java.util.List;

/// What is asked of one start of a run, beside its configuration.
///
/// @param command the command line, without the program's name
/// @param retryErrors whether rows that failed are computed again
record RunRequest(List<String> command, IfDifferent ifDifferent, boolean retryErrors) {

    RunRequest {
        command = List.copyOf(command);
    }

    /// What becomes of the run that an output directory holds if it was another: made with other settings,
    /// or of other input.
    enum IfDifferent {
        /// It stays, and nothing is done.
        REFUSE,
        /// What differs is done again in its place.
        REDO,
        /// It is set aside, even if it does not differ, and a new run begins.
        NEW_RUN
    }
}
