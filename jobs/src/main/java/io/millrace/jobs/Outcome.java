package io.millrace.jobs;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.millrace.schemas.Columns.Completion;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/// What the committed rows of a run say, never what a plan would say.
///
/// @param rouge1 mean over the rows that have a reference, null if none has; likewise the other two
/// @param engine fields of the column `engine`, of one row
/// @param errors error codes to rows
record Outcome(
        long rowsOk,
        long rowsError,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long reasoningTokens,
        @Nullable Double rouge1,
        @Nullable Double rouge2,
        @Nullable Double rougeL,
        Map<String, String> engine,
        Map<String, Long> errors) {

    /// Reads the Parquet files of an output directory.
    static Outcome read(SparkSession spark, String location) {
        var rows = spark.read().parquet(location);
        Row sums = rows.agg(
                        count(when(col(Completion.STATUS).equalTo("ok"), 1)),
                        total(Completion.PROMPT_TOKENS),
                        total(Completion.CACHED_TOKENS),
                        total(Completion.COMPLETION_TOKENS),
                        total(Completion.REASONING_TOKENS),
                        avg(Completion.ROUGE1),
                        avg(Completion.ROUGE2),
                        avg(Completion.ROUGE_L),
                        count(when(col(Completion.STATUS).equalTo("error"), 1)),
                        first(col(Completion.Engine.COLUMN)))
                .head();
        Map<String, Long> errors = new LinkedHashMap<>();
        rows.filter(col(Completion.RowError.COLUMN).isNotNull())
                .groupBy(col(Completion.RowError.COLUMN + "." + Completion.RowError.CODE)
                        .as("code"))
                .agg(count(lit(1)).as("rows"))
                .orderBy(col("rows").desc(), col("code"))
                .collectAsList()
                .forEach(row -> errors.put(row.getString(0), row.getLong(1)));
        return new Outcome(
                sums.getLong(0),
                sums.getLong(8),
                sums.getLong(1),
                sums.getLong(2),
                sums.getLong(3),
                sums.getLong(4),
                sums.getAs(5),
                sums.getAs(6),
                sums.getAs(7),
                fields(sums.getAs(9)),
                errors);
    }

    private static Column total(String column) {
        return coalesce(sum(col(column)), lit(0L));
    }

    private static Map<String, String> fields(@Nullable Row engine) {
        Map<String, String> fields = new LinkedHashMap<>();
        if (engine != null) {
            for (String field : engine.schema().fieldNames()) {
                fields.put(field, engine.getAs(field));
            }
        }
        return fields;
    }
}
