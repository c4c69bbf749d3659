package io.millrace.jobs;

import java.util.SortedMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// What is to be worked on, planned: the denominator of the run.
///
/// @param rows rows of the shape of {@link io.millrace.udf.InputColumns}; nothing has been computed yet
/// @param rowsByFile input file, as rows name it, to rows taken from it; files without rows are left out
record Corpus(Dataset<Row> rows, SortedMap<String, Long> rowsByFile) {

    long totalRows() {
        return rowsByFile.values().stream().mapToLong(Long::longValue).sum();
    }
}
