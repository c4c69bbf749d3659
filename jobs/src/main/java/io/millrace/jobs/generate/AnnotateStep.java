package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Adds the columns `quality`, of the answer or, where there is none yet, of the prompt, and `pii`, of
/// all texts of the row. Drops nothing.
record AnnotateStep(PersonalData personalData) implements Step {

    static Step read(String name, Parameters parameters) {
        return new AnnotateStep(new PersonalData(parameters.text("region", "ZZ")));
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> rows = in.withColumn(
                        PipelineRow.QUALITY,
                        Quality.function().apply(coalesce(col(PipelineRow.ANSWER), col(PipelineRow.PROMPT))))
                .withColumn(PipelineRow.PII, personalData.function().apply(Texts.CONVERSATION.of()));
        return new Made(rows, in.count());
    }
}
