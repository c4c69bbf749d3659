package io.millrace.udf.shard;

import io.millrace.udf.SparkSchemas;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// The input rows of a committed shard, each with what became of it, in the order of the input.
/// Confined to one thread.
public final class AnsweredRows implements Iterator<AnsweredRows.Answered>, AutoCloseable {
    private static final StructType SCHEMA = SparkSchemas.completion();

    private final int samples;
    private final CommittedRows completions;
    private final @Nullable ShardRows input;

    private AnsweredRows(int samples, CommittedRows completions, @Nullable ShardRows input) {
        this.samples = samples;
        this.completions = completions;
        this.input = input;
    }

    /// An input row.
    ///
    /// @param input of the shape of {@link io.millrace.udf.InputColumns}; null if it was not asked for
    /// @param completions of the shape of the canonical output row, one for each sample
    public record Answered(@Nullable Row input, List<Row> completions) {}

    /// @param recipe how the input is read; null if it is not wanted
    /// @throws ShardException if the shard is not committed, or the input has changed since
    public static AnsweredRows open(
            Shard shard,
            OutputDir output,
            String fingerprint,
            int samples,
            @Nullable InputRecipe recipe,
            Configuration conf) {
        CommittedRows completions = CommittedRows.open(output.file(shard.outputName(fingerprint)), conf);
        try {
            return new AnsweredRows(samples, completions, recipe == null ? null : ShardRows.open(shard, recipe, conf));
        } catch (ShardException e) {
            completions.close();
            throw e;
        }
    }

    @Override
    public boolean hasNext() {
        return completions.hasNext();
    }

    @Override
    public Answered next() {
        if (!hasNext()) {
            throw new NoSuchElementException("no more rows in this shard");
        }
        Row asked = input == null ? null : input.next();
        List<Row> rows = new ArrayList<>();
        for (int sample = 0; sample < samples; sample++) {
            rows.add(named(completions.next(), SCHEMA));
        }
        return new Answered(asked, rows);
    }

    /// The row with its schema, and so its structs, so that columns are found by name.
    private static Row named(Row row, StructType schema) {
        @Nullable Object[] values = new @Nullable Object[row.length()];
        for (int column = 0; column < values.length; column++) {
            Object value = row.get(column);
            values[column] = value instanceof Row struct && schema.apply(column).dataType() instanceof StructType type
                    ? named(struct, type)
                    : value;
        }
        return new GenericRowWithSchema(values, schema);
    }

    @Override
    public void close() {
        completions.close();
        if (input != null) {
            input.close();
        }
    }
}
