package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Instructions out of nothing (Xu et al. 2024, "Magpie"): the model is given what comes before a user's
/// turn, and writes the turn. Rows that come in stand in front.
///
/// @param requests how many turns are asked for; each has a seed of its own
/// @param preQuery what comes before the turn, control tokens spelt by their names
/// @param end name of the control token that ends the turn
record MagpieStep(long requests, String preQuery, String end) implements Step {
    /// As DeepSeek-V3 and V4 write a conversation without a system prompt.
    private static final String BEGIN = "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C><\uFF5CUser\uFF5C>";
    private static final String ASSISTANT = "<\uFF5CAssistant\uFF5C>";

    static Step read(String name, Parameters parameters) {
        return new MagpieStep(
                parameters.whole("requests", 100, 1),
                parameters.text("pre-query", BEGIN),
                parameters.text("end", ASSISTANT));
    }

    @Override
    public boolean makesRows() {
        return true;
    }

    @Override
    public boolean infers() {
        return true;
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Map<String, String> own = new LinkedHashMap<>();
        own.put("prompt.format", "control");
        own.put("sampling.stop", end);
        own.put("sampling.samples", "1");
        Dataset<Row> asked = stage.spark()
                .range(requests)
                .select(
                        sha2(concat_ws("\n", lit(stage.name()), lit(stage.seed()), col("id")), 256)
                                .as(PipelineRow.ROW_ID),
                        array(lit((long) stage.number()), col("id")).as(PipelineRow.POSITION),
                        lit(preQuery).as("text"));
        Dataset<Row> turns = stage.ask("", () -> asked, own);
        Dataset<Row> made = asked.join(turns, col(PipelineRow.ROW_ID).equalTo(col(Stage.ROW)), "left")
                .select(
                        col(PipelineRow.ROW_ID),
                        col(PipelineRow.ROW_ID).as(PipelineRow.SEED_ID),
                        col(PipelineRow.POSITION),
                        trim(col(Stage.TEXT)).as(PipelineRow.PROMPT),
                        array(col(Stage.REQUEST)).as(PipelineRow.PROVENANCE),
                        coalesce(
                                        col(Stage.FAULT),
                                        when(col(Stage.FINISH).equalTo("length"), lit("truncated")),
                                        when(trim(col(Stage.TEXT)).equalTo(""), lit("TEXT_BLANK")))
                                .as(PipelineRow.REASON),
                        col(Stage.FAULT_DETAIL).as(PipelineRow.DETAIL));
        return new Made(PipelineRow.shaped(in).unionByName(PipelineRow.shaped(made)), in.count() + requests);
    }
}
