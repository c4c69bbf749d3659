package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.struct;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// What most answers to a prompt say (self-consistency, Wang et al. 2022). An answer passes if it says
/// that; the score is the share of the prompt's answers that say what it says. Of what is said equally
/// often, what was said first counts. An answer that says nothing by the pattern never passes, and counts
/// among the answers.
///
/// @param minShare share that what most say must have
record Majority(Extract extract, double minShare) implements VerifyStep.Verifier {

    @Override
    public Dataset<Row> verified(Dataset<Row> rows, String column) {
        Extract extraction = extract;
        UDF1<@Nullable String, @Nullable String> said = text -> text == null ? null : extraction.from(text);
        Column group = coalesce(col(PipelineRow.PARENT_ID), col(PipelineRow.ROW_ID));
        WindowSpec prompt = Window.partitionBy("#group");
        WindowSpec same = Window.partitionBy("#group", "#said");
        WindowSpec order = Window.partitionBy("#group")
                .orderBy(col("#said").isNull(), col("#votes").desc(), col("#first"))
                .rowsBetween(Window.unboundedPreceding(), Window.unboundedFollowing());
        Column share = col("#votes").divide(col("#answers"));
        Column passed = col("#said")
                .isNotNull()
                .and(coalesce(col("#said").equalTo(col("#most")), lit(false)))
                .and(share.geq(minShare));
        return rows.withColumn("#group", group)
                .withColumn("#said", functions.udf(said, DataTypes.StringType).apply(col(PipelineRow.ANSWER)))
                .withColumn("#answers", count(lit(1)).over(prompt))
                .withColumn("#votes", count(lit(1)).over(same))
                .withColumn(
                        "#first",
                        min(struct(col(PipelineRow.POSITION), col(PipelineRow.ROW_ID)))
                                .over(same))
                .withColumn("#most", first(col("#said")).over(order))
                .withColumn(
                        column,
                        struct(
                                passed.as("passed"),
                                share.as("score"),
                                col("#said").as("detail")))
                .drop("#group", "#said", "#answers", "#votes", "#first", "#most");
    }
}
