package io.millrace.jobs;

import java.io.Serial;

/// A run that cannot go on, told to a person in one message: what, expected, got, where.
public final class JobException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public JobException(String message) {
        super(message);
    }

    public JobException(String message, Throwable cause) {
        super(message, cause);
    }
}
