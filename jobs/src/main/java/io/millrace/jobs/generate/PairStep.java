package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.last;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;

/// Makes preferences: of each prompt the answer with the best score stays and takes the one with the
/// worst along as the rejected one. Prompts whose best is no better than their worst by the margin make
/// none.
///
/// @param by name of the verdict whose score counts; one without a score counts 1 if it passed and 0 if
///     not
/// @param margin how much better the best must be, at least more than nothing
record PairStep(String by, double margin) implements Step {

    static Step read(String name, Parameters parameters) {
        return new PairStep(parameters.text("by"), parameters.decimal("margin", 0, 0, Double.MAX_VALUE));
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Column verdict = col(PipelineRow.VERDICTS).getItem(by);
        Column score = coalesce(
                verdict.getField("score"),
                verdict.getField("passed").cast("int").cast("double"));
        WindowSpec order = Window.partitionBy("#group")
                .orderBy(col("#score").desc_nulls_last(), col(PipelineRow.POSITION), col(PipelineRow.ROW_ID));
        // rows without a score come last, and must not be taken for the worst
        WindowSpec all = Window.partitionBy("#group", "#isScored")
                .orderBy(col("#score").desc_nulls_last(), col(PipelineRow.POSITION), col(PipelineRow.ROW_ID))
                .rowsBetween(Window.unboundedPreceding(), Window.unboundedFollowing());
        Dataset<Row> ranked = in.withColumn("#group", coalesce(col(PipelineRow.PARENT_ID), col(PipelineRow.ROW_ID)))
                .withColumn("#score", score)
                .withColumn("#isScored", col("#score").isNotNull())
                .withColumn("#rank", row_number().over(order))
                .withColumn("#best", first(col("#score")).over(all))
                .withColumn("#worst", last(col("#score")).over(all))
                .withColumn("#rejected", last(col(PipelineRow.ANSWER)).over(all))
                .withColumn("#rejected_id", last(col(PipelineRow.ROW_ID)).over(all));
        Column contrast = col("#best").minus(col("#worst"));
        Column reason = when(col("#score").isNull(), lit("no-score"))
                .when(contrast.leq(0).or(contrast.lt(margin)), lit("no-contrast"))
                .when(col("#rank").equalTo(1), lit(null))
                .when(col(PipelineRow.ROW_ID).equalTo(col("#rejected_id")), lit("paired"))
                .otherwise(lit("between"));
        Dataset<Row> rows = ranked.withColumn(PipelineRow.REASON, reason.cast("string"))
                .withColumn(PipelineRow.REJECTED, when(col(PipelineRow.REASON).isNull(), col("#rejected")))
                .withColumn(
                        PipelineRow.REJECTED_ID, when(col(PipelineRow.REASON).isNull(), col("#rejected_id")));
        return new Made(rows, in.count());
    }
}
