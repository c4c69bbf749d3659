package io.millrace.udf.shard;

import io.millrace.udf.RowFault;
import io.millrace.udf.Utf8;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.PrimitiveIterator;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.internal.column.columnindex.OffsetIndex;
import org.apache.parquet.internal.filter2.columnindex.RowRanges;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/// Rows of one row group, of which only the wanted columns are read. Where the file has an index of
/// pages, as the writers of recent years leave one, pages without a wanted row are not read either.
final class ParquetRecords implements Records {
    private final ParquetFileReader file;
    private final MessageType schema;
    private final List<String> columns;
    private final PageReadStore pages;
    private final RecordReader<Group> reader;
    private final @Nullable String misfit;
    private final @Nullable String[] values;
    private long left;
    private @Nullable Fault fault;

    private ParquetRecords(
            ParquetFileReader file,
            MessageType schema,
            List<String> columns,
            @Nullable String misfit,
            PageReadStore pages) {
        this.file = file;
        this.misfit = misfit;
        values = new @Nullable String[columns.size()];
        this.schema = schema;
        this.columns = columns;
        this.pages = pages;
        reader = new ColumnIOFactory().getColumnIO(schema).getRecordReader(pages, new GroupRecordConverter(schema));
        left = pages.getRowCount();
    }

    static ParquetRecords open(Shard shard, List<String> columns, Set<String> jsonColumns, Configuration conf)
            throws IOException {
        ParquetFileReader file = ParquetFooter.open(shard.file(), conf);
        try {
            List<String> single = RecordNames.of(file.getFileMetaData().getSchema(), jsonColumns);
            MessageType schema = wanted(file.getFileMetaData().getSchema(), columns, single);
            file.setRequestedSchema(schema);
            PageReadStore pages = wanted(file, schema, shard);
            ParquetRecords records =
                    new ParquetRecords(file, schema, columns, RecordNames.misfit(columns, single), pages);
            records.skip(shard.firstRow() - firstRead(pages));
            return records;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static MessageType wanted(MessageType all, List<String> columns, List<String> single) {
        List<Type> types = new ArrayList<>();
        for (String column : columns) {
            if (single.contains(column)) {
                types.add(all.getType(column));
            }
        }
        return new MessageType(all.getName(), types);
    }

    /// A page with a damaged head may claim 2 GiB, for which the library makes room before it looks
    /// what is there.
    private static PageReadStore wanted(ParquetFileReader file, MessageType schema, Shard shard) throws IOException {
        try {
            return pages(file, schema, shard);
        } catch (OutOfMemoryError e) {
            throw new IOException("pages for which there is no memory: " + e.getMessage(), e);
        }
    }

    /// Those pages of the row group that hold the shard's rows, as the first column's pages lie; the whole
    /// row group if the file has no index of pages.
    private static PageReadStore pages(ParquetFileReader file, MessageType schema, Shard shard) throws IOException {
        BlockMetaData rowGroup = file.getRowGroups().get(shard.block());
        OffsetIndex index = index(file, schema, rowGroup);
        if (index == null) {
            return file.readRowGroup(shard.block());
        }
        long rows = rowGroup.getRowCount();
        long end = shard.firstRow() + shard.rows();
        PrimitiveIterator.OfInt wanted = IntStream.range(0, index.getPageCount())
                .filter(page ->
                        index.getFirstRowIndex(page) < end && index.getLastRowIndex(page, rows) >= shard.firstRow())
                .iterator();
        return file.readFilteredRowGroup(shard.block(), RowRanges.create(rows, wanted, index));
    }

    /// The page index of the first wanted column; null unless all of them have one.
    private static @Nullable OffsetIndex index(ParquetFileReader file, MessageType schema, BlockMetaData rowGroup)
            throws IOException {
        OffsetIndex first = null;
        for (ColumnChunkMetaData column : rowGroup.getColumns()) {
            if (schema.containsPath(column.getPath().toArray())) {
                OffsetIndex index = file.readOffsetIndex(column);
                if (index == null) {
                    return null;
                }
                first = first == null ? index : first;
            }
        }
        return first;
    }

    private static long firstRead(PageReadStore pages) {
        return pages.getRowIndexes()
                .filter(PrimitiveIterator.OfLong::hasNext)
                .map(rows -> rows.nextLong())
                .orElse(0L);
    }

    @Override
    public boolean next() {
        if (left == 0) {
            return false;
        }
        left--;
        Group row = reader.read();
        fault = misfit == null ? null : new Fault(RowFault.SCHEMA_MISMATCH, misfit, null);
        for (int column = 0; column < values.length; column++) {
            values[column] = value(row, columns.get(column));
        }
        return true;
    }

    private @Nullable String value(Group row, String name) {
        if (!schema.containsField(name)) {
            return null;
        }
        int field = schema.getFieldIndex(name);
        if (row.getFieldRepetitionCount(field) == 0) {
            return null;
        }
        Type type = schema.getType(field);
        return type.isPrimitive() && !type.isRepetition(Type.Repetition.REPEATED)
                ? text(row, field, type.asPrimitiveType())
                : ParquetJson.of(row, field).toString();
    }

    @Override
    public @Nullable String value(int column) {
        return values[column];
    }

    @Override
    public @Nullable Fault fault() {
        return fault;
    }

    /// Text as it is, everything else as the format's own notation of its type has it.
    private @Nullable String text(Group row, int field, PrimitiveType type) {
        PrimitiveTypeName primitive = type.getPrimitiveTypeName();
        LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
        boolean isText = meaning == null || meaning instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation;
        return switch (primitive) {
            case BINARY ->
                isText
                        ? text(row.getBinary(field, 0).getBytes(), type.getName())
                        : type.stringifier().stringify(row.getBinary(field, 0));
            case FIXED_LEN_BYTE_ARRAY -> type.stringifier().stringify(row.getBinary(field, 0));
            case INT96 -> type.stringifier().stringify(row.getInt96(field, 0));
            case INT32 -> type.stringifier().stringify(row.getInteger(field, 0));
            case INT64 -> type.stringifier().stringify(row.getLong(field, 0));
            case FLOAT -> type.stringifier().stringify(row.getFloat(field, 0));
            case DOUBLE -> type.stringifier().stringify(row.getDouble(field, 0));
            case BOOLEAN -> Boolean.toString(row.getBoolean(field, 0));
        };
    }

    private @Nullable String text(byte[] bytes, String name) {
        String text = Utf8.text(bytes);
        if (text == null && fault == null) {
            fault = Fault.notUnicode("column " + name + ": ", bytes);
        }
        return text;
    }

    @Override
    public void close() throws IOException {
        pages.close();
        file.close();
    }
}
