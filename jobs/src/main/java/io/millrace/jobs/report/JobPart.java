package io.millrace.jobs.report;

/// What a job has found, beside what its rows are.
interface JobPart {
    /// Writes it, if the job has left anything of the kind in its output directory.
    void write(RunFolder output, Page page);
}
