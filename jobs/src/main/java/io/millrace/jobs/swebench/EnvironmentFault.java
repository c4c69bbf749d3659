package io.millrace.jobs.swebench;

import java.io.Serial;

/// What is needed to try a patch is not there, or fails without the patch: this says nothing about the
/// patch.
final class EnvironmentFault extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String reason;

    /// @param reason a word to count by
    /// @param message what was expected, and what there is
    EnvironmentFault(String reason, String message) {
        super(message);
        this.reason = reason;
    }

    EnvironmentFault(String reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    String reason() {
        return reason;
    }
}
