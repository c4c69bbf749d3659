package io.millrace.udf.shard;

import io.millrace.udf.RawText;
import io.millrace.udf.RowFault;
import io.millrace.udf.Utf8;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/// The records of one block in order, as texts. Confined to one thread.
interface Records extends Closeable {

    /// Moves to the next record; false at the end of the block.
    boolean next() throws IOException;

    /// The record's value in a column, null if there is none.
    ///
    /// @param column place in the list of columns the records were opened with
    @Nullable
    String value(int column);

    /// Why the record is not to be used, null if it is; values that could be read may be there all the
    /// same.
    @Nullable
    Fault fault();

    /// What is wrong with a record: an answer, and no exception.
    ///
    /// @param reason what was expected, and what was found
    /// @param raw what is kept of the record, null if there is nothing
    record Fault(RowFault kind, String reason, @Nullable String raw) {

        /// Bytes that are no UTF-8.
        ///
        /// @param where what they are, and a colon; or nothing
        static Fault notUnicode(String where, byte[] bytes) {
            return new Fault(RowFault.TEXT_NOT_UNICODE, where + Utf8.complaint(bytes), RawText.ofBytes(bytes));
        }
    }

    /// Opens a block at the shard's first row. Of Parquet no more is read than the shard has; of the others
    /// the rest of the block follows, since only who reads a text knows where its records are.
    ///
    /// @param columns columns wanted, first the one that has to be a text
    static Records open(RecordFormat format, Shard shard, List<String> columns, Configuration conf) throws IOException {
        return open(format, shard, columns, Set.of(), conf);
    }

    /// The same where some columns are JSON, so that nested values are taken as such.
    static Records open(
            RecordFormat format, Shard shard, List<String> columns, Set<String> jsonColumns, Configuration conf)
            throws IOException {
        if (format == RecordFormat.PARQUET) {
            return ParquetRecords.open(shard, columns, jsonColumns, conf);
        }
        Records records = switch (format) {
            case JSON_LINES -> new JsonRecords(Lines.of(shard, conf), columns, jsonColumns);
            case OPENAI_LINES -> new OpenAiRecords(Lines.of(shard, conf), columns);
            case CSV_LINES -> CsvRecords.ofLines(shard, columns, conf);
            case CSV -> CsvRecords.ofFile(shard.file(), columns, conf);
            case TEXT_LINES -> new TextRecords(Lines.of(shard, conf));
            case TEXT_FILE -> new DocumentRecords(shard.file(), conf);
            case PARQUET -> throw new IllegalStateException("opened above");
        };
        records.skip(shard.firstRow());
        return records;
    }

    /// Passes over records.
    default void skip(long records) throws IOException {
        for (long record = 0; record < records && next(); record++) {
            // nothing of it is wanted
        }
    }
}
