package io.millrace.jobs.plan;

import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.GenerateFunction;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.SparkSchemas;
import java.time.Duration;
import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;

/// Has rows answered as a run has them answered, and tells how many tokens that took; the answers are
/// thrown away.
final class MeasureRows implements FlatMapFunction<Iterator<Row>, Row> {
    private static final long serialVersionUID = 1L;
    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final int STATUS = SCHEMA.fieldIndex(Completion.STATUS);
    private static final int PROMPT = SCHEMA.fieldIndex(Completion.PROMPT_TOKENS);
    private static final int CACHED = SCHEMA.fieldIndex(Completion.CACHED_TOKENS);
    private static final int COMPLETION = SCHEMA.fieldIndex(Completion.COMPLETION_TOKENS);

    private final GenerateRecipe recipe;
    private final Duration patience;

    /// @param patience how long the engine may go without a step while a row waits for it
    MeasureRows(GenerateRecipe recipe, Duration patience) {
        this.recipe = recipe;
        this.patience = patience;
    }

    /// What an answer took.
    record Answer(boolean isOk, int promptTokens, int cachedTokens, int completionTokens) {

        static Answer of(Row row) {
            return new Answer(row.getBoolean(0), row.getInt(1), row.getInt(2), row.getInt(3));
        }
    }

    /// @return as {@link Answer#of} reads it
    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        Iterator<Row> answers = new GenerateFunction(recipe, patience).call(rows);
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(answers, Spliterator.ORDERED), false)
                .map(row -> RowFactory.create(
                        row.getString(STATUS).equals("ok"),
                        number(row, PROMPT),
                        number(row, CACHED),
                        number(row, COMPLETION)))
                .iterator();
    }

    private static int number(Row row, int field) {
        return row.isNullAt(field) ? 0 : row.getInt(field);
    }
}
