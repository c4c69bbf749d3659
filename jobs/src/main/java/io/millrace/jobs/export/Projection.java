package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.shard.AnsweredRows.Answered;

/// A format that a run's rows are written in. It looks at a row and at nothing else, so that a row is
/// written alike whichever others there are.
interface Projection {

    /// Whether it needs the input beside the output.
    boolean needsInput();

    /// Writes what becomes of an input row.
    ///
    /// @throws io.millrace.jobs.JobException if the format has no place for it
    void write(Answered answered, Lines lines);

    /// Where lines of JSON go.
    @FunctionalInterface
    interface Lines {
        /// @param file name of the file below the directory
        void add(String file, ObjectNode line);
    }
}
