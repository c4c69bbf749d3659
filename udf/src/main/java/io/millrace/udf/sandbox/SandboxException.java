package io.millrace.udf.sandbox;

/// The sandbox could not be had, so that nothing was run. Says nothing about the command.
public final class SandboxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public SandboxException(String message) {
        super(message);
    }

    public SandboxException(String message, Throwable cause) {
        super(message, cause);
    }
}
