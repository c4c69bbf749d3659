package io.millrace.jobs;

import io.millrace.udf.InputColumns;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Says of each row where it is in its file, and drops the rows beyond the plan. Parquet rows come with
/// their index in the file, from which the row group follows; rows of other formats are counted, which is
/// right because such a file is never split (see {@link InputReader}) and so passes through one task from
/// its first row on.
final class LocateRows implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    /// Row in the file, from 0; null where the format does not tell. Comes right after the file.
    static final String ROW_INDEX = "#row_index";

    /// Index of the first row of each row group, by file; null for formats without row groups.
    private final @Nullable HashMap<String, long[]> rowGroupStarts;
    /// Rows to take from the start of each file.
    private final HashMap<String, Long> rowsByFile;

    LocateRows(@Nullable Map<String, long[]> rowGroupStarts, Map<String, Long> rowsByFile) {
        this.rowGroupStarts = rowGroupStarts == null ? null : new HashMap<>(rowGroupStarts);
        this.rowsByFile = new HashMap<>(rowsByFile);
    }

    /// What {@link #call} reads: file, index in the file, then the texts in the order of {@link
    /// InputColumns#schema}.
    static StructType inputSchema(List<String> templateColumns) {
        StructType output = InputColumns.schema(templateColumns);
        StructType schema = new StructType()
                .add(InputColumns.FILE, DataTypes.StringType, false)
                .add(ROW_INDEX, DataTypes.LongType, true);
        for (int field = FIRST_TEXT_OUT; field < output.length(); field++) {
            schema = schema.add(output.apply(field));
        }
        return schema;
    }

    private static final int FIRST_TEXT_IN = 2;
    private static final int FIRST_TEXT_OUT = 3;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        return new Located(rows);
    }

    private final class Located implements Iterator<Row> {
        private final Iterator<Row> input;
        private String spelling = "";
        private String file = "";
        private long counted;
        private @Nullable Row next;

        Located(Iterator<Row> input) {
            this.input = input;
        }

        @Override
        public boolean hasNext() {
            while (next == null && input.hasNext()) {
                next = locate(input.next());
            }
            return next != null;
        }

        @Override
        public Row next() {
            if (!hasNext()) {
                throw new NoSuchElementException("no more rows in this partition");
            }
            Row row = Objects.requireNonNull(next);
            next = null;
            return row;
        }

        /// The row with its place, or null if the plan leaves it out.
        private @Nullable Row locate(Row row) {
            String rowFile = row.getString(0);
            if (!rowFile.equals(spelling)) {
                spelling = rowFile;
                file = InputFiles.name(rowFile);
                counted = 0;
            }
            long index = row.isNullAt(1) ? counted++ : row.getLong(1);
            return index < rowsByFile.getOrDefault(file, 0L) ? placed(row, index) : null;
        }

        private Row placed(Row row, long index) {
            long[] starts = rowGroupStarts == null ? FROM_START : rowGroupStarts.getOrDefault(file, FROM_START);
            int found = Arrays.binarySearch(starts, index);
            int rowGroup = found >= 0 ? found : -found - 2;
            List<@Nullable Object> values = new ArrayList<>(row.length() + 1);
            values.add(file);
            values.add(rowGroup);
            values.add(index - starts[rowGroup]);
            for (int field = FIRST_TEXT_IN; field < row.length(); field++) {
                values.add(row.get(field));
            }
            return RowFactory.create(values.toArray());
        }
    }

    private static final long[] FROM_START = {0};
}
