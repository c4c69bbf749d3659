package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array_sort;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;

import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.jspecify.annotations.Nullable;

/// Drops rows that did not pass, and of the others keeps all, or of each prompt the first or the best.
///
/// @param require names of verdicts that must have passed; empty for all that there are
/// @param keep `all`, `first` or `best`
/// @param by name of the verdict whose score says what is best, or null
record RejectStep(
        List<String> require, String keep, @Nullable String by) implements Step {

    static Step read(String name, Parameters parameters) {
        String keep = parameters.choice("keep", "all", List.of("all", "first", "best"));
        String by = parameters.optional("by");
        if (keep.equals("best") != (by != null)) {
            parameters.wrong(
                    "by", "the name of a verdict with keep: best, and nothing otherwise", by + " with " + keep);
        }
        return new RejectStep(parameters.texts("require", List.of()), keep, by);
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> judged = in.withColumn("#failed", array_sort(failed()));
        Column first = col("#failed").getItem(0);
        Dataset<Row> rows = PipelineRow.require(
                        judged,
                        org.apache.spark.sql.functions.size(col("#failed")).equalTo(0),
                        concat(lit("rejected "), first),
                        org.apache
                                .spark
                                .sql
                                .functions
                                .element_at(col(PipelineRow.VERDICTS), first)
                                .getField("detail"))
                .drop("#failed");
        return new Made(keep.equals("all") ? rows : oneOfEach(rows), in.count());
    }

    /// Names of the verdicts that did not pass; one that is not there did not.
    private Column failed() {
        String names = require.isEmpty()
                ? "map_keys(coalesce(verdicts, map()))"
                : require.stream()
                        .map(name -> "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'")
                        .collect(Collectors.joining(",", "array(", ")"));
        return expr("filter(" + names + ", name -> not coalesce(verdicts[name].passed, false))");
    }

    private Dataset<Row> oneOfEach(Dataset<Row> rows) {
        Column group = coalesce(col(PipelineRow.PARENT_ID), col(PipelineRow.ROW_ID));
        Column score =
                by == null ? lit(0) : col(PipelineRow.VERDICTS).getItem(by).getField("score");
        WindowSpec window = Window.partitionBy("#group")
                .orderBy(
                        col(PipelineRow.REASON).isNotNull(),
                        score.desc_nulls_last(),
                        col(PipelineRow.POSITION),
                        col(PipelineRow.ROW_ID));
        Dataset<Row> ranked = rows.withColumn("#group", group)
                .withColumn("#rank", row_number().over(window));
        return PipelineRow.require(
                        ranked,
                        col("#rank").equalTo(1),
                        lit("not-" + keep),
                        lit(null).cast("string"))
                .drop("#group", "#rank");
    }
}
