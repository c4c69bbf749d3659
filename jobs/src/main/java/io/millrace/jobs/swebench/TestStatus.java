package io.millrace.jobs.swebench;

/// What a log says of a test.
enum TestStatus {
    FAILED,
    PASSED,
    SKIPPED,
    ERROR,
    XFAIL;

    /// A test that was expected to fail and did counts as one that passes.
    boolean passes() {
        return this == PASSED || this == XFAIL;
    }

    boolean fails() {
        return this == FAILED || this == ERROR;
    }
}
