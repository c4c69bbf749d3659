package io.millrace.jobs.bench;

import io.millrace.jobs.JobException;

/// An engine that can be timed.
interface Contestant extends AutoCloseable {
    /// How it is called in the table.
    String name();

    /// What it is and how it is set for a work, for the reader of a figure.
    String settings(Work work);

    /// Does the work once.
    ///
    /// @return tokens per second: of the prompts, or of what was generated once all streams were running
    /// @throws JobException if it cannot do this work: told in its place in the table, and never a figure
    double tokensPerSecond(Work work);

    @Override
    default void close() {}
}
