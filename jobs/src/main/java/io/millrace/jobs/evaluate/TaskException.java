package io.millrace.jobs.evaluate;

/// A task file that cannot be read or asks for what is not there, or data that does not go with it.
public final class TaskException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TaskException(String message) {
        super(message);
    }

    TaskException(String message, Throwable cause) {
        super(message, cause);
    }
}
