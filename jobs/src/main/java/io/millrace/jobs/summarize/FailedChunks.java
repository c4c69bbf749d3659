package io.millrace.jobs.summarize;

/// What becomes of a document of which a chunk could not be summarised.
public enum FailedChunks {
    /// It becomes an error row, which says which chunk and why.
    FAIL,
    /// It is summarised without the chunk; the table of provenance says which were left out.
    LEAVE_OUT
}
