package io.millrace.jobs.swebench;

import java.io.Serializable;

/// Which files a model sees beside the issue.
///
/// @param files how many at most, of those that are searched for
/// @param chars most characters of their texts together, likewise; a file that does not fit is left out
record PromptContext(Kind kind, int files, int chars) implements Serializable {

    /// How they are chosen.
    enum Kind {
        /// The files that the gold patch changes.
        ORACLE,
        /// Those most like the issue.
        BM25
    }
}
