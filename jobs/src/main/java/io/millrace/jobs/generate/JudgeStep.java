package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.millrace.udf.PromptTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;

/// Has a model judge every answer, and reads its score from what it says. An answer whose judgement
/// failed or holds no score does not pass, and the verdict says why. Drops nothing.
///
/// @param template of what the judge is asked: `{prompt}`, `{answer}`, `{reference}` and the seeds'
///     fields
/// @param score the last match's first group is the score
/// @param least score that passes
record JudgeStep(String name, String template, Pattern score, double least) implements Step {
    private static final String TEMPLATE = """
            Below are a request and an answer to it. Say how good the answer is: is it right, does it do what was \
            asked and all of it, is it clear? Reason in a few sentences. Then write one last line of the form \
            "Score: N" with a whole number N from 1 (useless) to 10 (could not be better).

            ### Request
            {prompt}

            ### Answer
            {answer}
            """;

    static Step read(String name, Parameters parameters) {
        return new JudgeStep(
                name,
                Template.read(parameters, "template", TEMPLATE),
                parameters.pattern("score", "(?i)score:\\s*(\\d+(?:\\.\\d+)?)"),
                parameters.decimal("min", 7, -Double.MAX_VALUE, Double.MAX_VALUE));
    }

    @Override
    public boolean infers() {
        return true;
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> said = stage.ask("", () -> in.withColumn("text", asked()), Map.of("sampling.samples", "1"));
        Dataset<Row> judged = in.join(said, col(PipelineRow.ROW_ID).equalTo(col(Stage.ROW)), "left")
                .withColumn(
                        "#verdict",
                        verdict(score, least)
                                .apply(col(Stage.TEXT), col(Stage.FAULT), coalesce(col(Stage.FAULT_DETAIL), lit(""))))
                .withColumn(PipelineRow.PROVENANCE, Provenance.with(col(Stage.REQUEST)));
        return new Made(VerifyStep.verdict(judged, name, "#verdict"), in.count());
    }

    private Column asked() {
        List<Column> values = new ArrayList<>();
        for (String column : PromptTemplate.parse(template).columns()) {
            boolean isOfRow = List.of(PipelineRow.PROMPT, PipelineRow.ANSWER, PipelineRow.REFERENCE)
                    .contains(column);
            values.add((isOfRow ? col(column) : col(PipelineRow.FIELDS).getItem(column)).as(column));
        }
        values.add(lit("").as(PromptTemplate.TEXT));
        return Template.filled(template, values);
    }

    private static UserDefinedFunction verdict(Pattern score, double least) {
        UDF3<@Nullable String, @Nullable String, String, Row> read = (text, fault, detail) -> {
            if (text == null || fault != null) {
                return RowFactory.create(false, null, fault + ": " + detail);
            }
            Double found = score(score, text);
            return RowFactory.create(found != null && found >= least, found, text);
        };
        return functions.udf(read, PipelineRow.VERDICT_TYPE);
    }

    /// The last score in a text; null if there is none.
    static @Nullable Double score(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        Double found = null;
        while (matcher.find()) {
            try {
                found = Double.valueOf(matcher.group(Math.min(1, matcher.groupCount())));
            } catch (NumberFormatException _) {
                // what matches and is no number is no score
            }
        }
        return found;
    }
}
