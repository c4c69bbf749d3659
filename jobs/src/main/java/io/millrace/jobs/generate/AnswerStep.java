package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Has a model answer every prompt, several times if that is asked for: each answer is a row.
///
/// @param samples answers of each prompt
/// @param keepTruncated whether an answer that ran into its last token is kept
record AnswerStep(int samples, boolean keepTruncated) implements Step {

    static Step read(String name, Parameters parameters) {
        return new AnswerStep(parameters.integer("samples", 1, 1), parameters.flag("keep-truncated", false));
    }

    @Override
    public boolean infers() {
        return true;
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> answers = stage.ask(
                "",
                () -> in.withColumn("text", col(PipelineRow.PROMPT)),
                Map.of("sampling.samples", Integer.toString(samples)));
        Dataset<Row> rows = in.join(answers, col(PipelineRow.ROW_ID).equalTo(col(Stage.ROW)), "left")
                .withColumn(PipelineRow.PARENT_ID, col(PipelineRow.ROW_ID))
                .withColumn(
                        PipelineRow.ROW_ID,
                        PipelineRow.childId(col(PipelineRow.PARENT_ID), stage.name(), col(Stage.SAMPLE)))
                .withColumn(PipelineRow.POSITION, concat(col(PipelineRow.POSITION), array(col(Stage.SAMPLE))))
                .withColumn(PipelineRow.ANSWER, col(Stage.TEXT))
                .withColumn(PipelineRow.FINISH_REASON, col(Stage.FINISH))
                .withColumn(PipelineRow.PROVENANCE, Provenance.with(col(Stage.REQUEST)))
                .withColumn(PipelineRow.DETAIL, col(Stage.FAULT_DETAIL))
                .withColumn(
                        PipelineRow.REASON,
                        coalesce(
                                col(Stage.FAULT),
                                when(lit(!keepTruncated).and(col(Stage.FINISH).equalTo("length")), lit("truncated"))));
        return new Made(rows, in.count() * samples);
    }
}
