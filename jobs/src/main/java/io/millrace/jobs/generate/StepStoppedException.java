package io.millrace.jobs.generate;

import java.io.Serial;

/// A step whose run of a model ended so that no step may follow; the run has said why.
final class StepStoppedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    StepStoppedException(String step, int exitCode) {
        super("step " + step + " ended with " + exitCode);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
