package io.millrace.jobs.sql;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.RowFault;
import io.millrace.udf.SparkSchemas;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import org.jspecify.annotations.Nullable;

/// Output rows of a job as what a call yields, see {@link ModelFunction#type}. Confined to one task.
final class Answers {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final int FINISH_REASON = SCHEMA.fieldIndex(Completion.FINISH_REASON);
    private static final int OUTPUT_TEXT = SCHEMA.fieldIndex(Completion.OUTPUT_TEXT);
    private static final int PARSE_ERROR = SCHEMA.fieldIndex(Completion.PARSE_ERROR);
    private static final int SCORES = SCHEMA.fieldIndex(Completion.Scores.COLUMN);
    private static final int ERROR = SCHEMA.fieldIndex(Completion.RowError.COLUMN);
    private static final int PROMPT_TOKENS = SCHEMA.fieldIndex(Completion.PROMPT_TOKENS);
    private static final int CACHED_TOKENS = SCHEMA.fieldIndex(Completion.CACHED_TOKENS);
    private static final int COMPLETION_TOKENS = SCHEMA.fieldIndex(Completion.COMPLETION_TOKENS);
    private static final StructType ERROR_SCHEMA =
            (StructType) SCHEMA.apply(Completion.RowError.COLUMN).dataType();
    private static final int CLASS = ERROR_SCHEMA.fieldIndex(Completion.RowError.CLASS);
    private static final int CODE = ERROR_SCHEMA.fieldIndex(Completion.RowError.CODE);
    private static final int MESSAGE = ERROR_SCHEMA.fieldIndex(Completion.RowError.MESSAGE);

    private final ModelFunction function;
    private final AnswerMetrics metrics;

    Answers(ModelFunction function, AnswerMetrics metrics) {
        this.function = function;
        this.metrics = metrics;
    }

    /// @return null for a row that was asked about nothing
    @Nullable
    InternalRow answer(Row row) {
        metrics.rows().add(1);
        Row error = row.getAs(ERROR);
        if (error != null && error.getString(CODE).equals(RowFault.TEXT_NULL.name())) {
            return null;
        }
        metrics.promptTokens().add(row.getInt(PROMPT_TOKENS));
        metrics.cachedTokens().add(row.getInt(CACHED_TOKENS));
        metrics.completionTokens().add(row.getInt(COMPLETION_TOKENS));
        InternalRow told = error == null
                ? fault(row)
                : error(error.getString(CLASS), error.getString(CODE), error.getString(MESSAGE));
        if (told != null) {
            metrics.errors().add(1);
        }
        return new GenericInternalRow(new @Nullable Object[] {
            error == null ? value(row, told != null) : null, string(row.getAs(FINISH_REASON)), usage(row), told
        });
    }

    private @Nullable Object value(Row row, boolean isFaulty) {
        String text = row.getAs(OUTPUT_TEXT);
        return switch (function) {
            case GENERATE, SUMMARIZE -> string(text);
            case EXTRACT -> isFaulty ? null : string(text);
            case CLASSIFY -> isFaulty || text == null ? null : string(label(text));
            case SCORE -> row.<Row>getList(SCORES).getFirst().getDouble(0);
        };
    }

    private static String label(String json) {
        try {
            return JSON.readTree(json).asText();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an answer without a fault is JSON, got " + json, e);
        }
    }

    /// An answer that is not of the form that was asked for: a row's error in a query, though not in a job.
    private static @Nullable InternalRow fault(Row row) {
        String fault = row.getAs(PARSE_ERROR);
        return fault == null ? null : error("ANSWER", "FORM_VIOLATED", fault);
    }

    private static InternalRow error(String kind, String code, String message) {
        return new GenericInternalRow(new @Nullable Object[] {string(kind), string(code), string(message)});
    }

    private static InternalRow usage(Row row) {
        return new GenericInternalRow(
                new Object[] {row.getInt(PROMPT_TOKENS), row.getInt(CACHED_TOKENS), row.getInt(COMPLETION_TOKENS)});
    }

    private static @Nullable UTF8String string(@Nullable String text) {
        return UTF8String.fromString(text);
    }
}
