package io.millrace.udf.shard;

import io.millrace.udf.CarriedFault;
import io.millrace.udf.InputColumns;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// The input rows of one shard, in the shape of {@link InputColumns}. Confined to one thread. Refuses a
/// file that is not the one that was planned, and one that has fewer rows.
final class ShardRows implements Iterator<Row>, AutoCloseable {
    /// Columns before the texts: file, its version, row group, row.
    private static final int PLACE = 4;
    /// In place of a column: the recipe names none, or what is wrong with the record is wanted.
    private static final int NONE = -1;
    private static final int FAULT = -2;
    private static final int REASON = -3;
    private static final int RAW = -4;
    /// Custom id, text, reference, what is told of a fault, parameters and continuations, before the
    /// template's columns.
    private static final int TEXTS = 8;

    private final Shard shard;
    private final Records records;
    private final StructType schema;
    /// Which of the columns read each text of a row is.
    private final int[] sources;
    private final int carried;
    private int done;

    private ShardRows(Shard shard, InputRecipe recipe, Records records) {
        this.shard = shard;
        this.records = records;
        schema = InputColumns.schema(recipe.templateColumns());
        sources = sources(recipe);
        carried = recipe.columns().indexOf(recipe.faultColumn());
    }

    /// @throws ShardException if the file has changed or cannot be read
    static ShardRows open(Shard shard, InputRecipe recipe, Configuration conf) {
        try {
            requireUnchanged(shard, conf);
            return new ShardRows(
                    shard, recipe, Records.open(recipe.format(), shard, recipe.columns(), recipe.jsonColumns(), conf));
        } catch (IOException | RuntimeException e) {
            throw failure(shard, e);
        }
    }

    private static void requireUnchanged(Shard shard, Configuration conf) throws IOException {
        Path path = new Path(shard.file().name());
        FileStatus status = path.getFileSystem(conf).getFileStatus(path);
        InputFile found = new InputFile(shard.file().name(), status.getLen(), status.getModificationTime());
        if (!found.equals(shard.file())) {
            throw new ShardException("input " + found.name() + ": expected the file as planned ("
                    + shard.file().version() + ": bytes@modified), got " + found.version());
        }
    }

    private static int[] sources(InputRecipe recipe) {
        List<String> columns = recipe.columns();
        List<String> template = recipe.templateColumns();
        int[] sources = new int[TEXTS + template.size()];
        sources[0] = columns.indexOf(recipe.idColumn());
        sources[1] = columns.indexOf(recipe.textColumn());
        sources[2] = columns.indexOf(recipe.referenceColumn());
        sources[3] = FAULT;
        sources[4] = REASON;
        sources[5] = RAW;
        sources[6] = columns.indexOf(recipe.parametersColumn());
        sources[7] = columns.indexOf(recipe.continuationsColumn());
        for (int column = 0; column < template.size(); column++) {
            sources[TEXTS + column] = columns.indexOf(template.get(column));
        }
        return sources;
    }

    @Override
    public boolean hasNext() {
        return done < shard.rows();
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException("no more rows in this shard");
        }
        try {
            if (!records.next()) {
                throw new ShardException("input " + shard + ": expected " + shard.rows() + " rows, got " + done);
            }
            return row(done++);
        } catch (IOException | RuntimeException e) {
            throw failure(shard, e);
        }
    }

    private Row row(int index) {
        @Nullable Object[] values = new @Nullable Object[schema.length()];
        values[0] = shard.file().name();
        values[1] = shard.file().version();
        values[2] = shard.block();
        values[3] = shard.firstRow() + index;
        CarriedFault fault = fault();
        for (int text = 0; text < sources.length; text++) {
            values[PLACE + text] = value(sources[text], fault);
        }
        return new GenericRowWithSchema(values, schema);
    }

    /// What is wrong with the record, or was with the row it is made of.
    private @Nullable CarriedFault fault() {
        Records.Fault fault = records.fault();
        if (fault != null) {
            return new CarriedFault(fault.kind(), fault.reason(), fault.raw());
        }
        String before = carried < 0 ? null : records.value(carried);
        return before == null ? null : CarriedFault.ofJson(before);
    }

    private @Nullable String value(int source, @Nullable CarriedFault fault) {
        return switch (source) {
            case NONE -> null;
            case FAULT -> fault == null ? null : fault.kind().name();
            case REASON -> fault == null ? null : fault.reason();
            case RAW -> fault == null ? null : fault.raw();
            default -> records.value(source);
        };
    }

    private static ShardException failure(Shard shard, Exception e) {
        return e instanceof ShardException known
                ? known
                : new ShardException("input " + shard + ": expected to be readable, got " + e, e);
    }

    @Override
    public void close() {
        try {
            records.close();
        } catch (IOException e) {
            throw failure(shard, e);
        }
    }
}
