package io.millrace.udf.agent;

import java.io.Serial;

/// The agent can say no more: an end like others, named by an exit status.
final class PolicyEndException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String exitStatus;

    PolicyEndException(String exitStatus, String message) {
        super(message);
        this.exitStatus = exitStatus;
    }

    String exitStatus() {
        return exitStatus;
    }
}
