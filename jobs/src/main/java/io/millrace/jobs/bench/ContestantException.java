package io.millrace.jobs.bench;

/// An engine that could not do a work: told in its place in the table, and never a figure.
final class ContestantException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ContestantException(String message) {
        super(message);
    }
}
