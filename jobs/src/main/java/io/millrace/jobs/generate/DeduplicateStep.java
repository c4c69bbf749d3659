package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.format_string;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.when;

import io.millrace.udf.TextMetrics;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// Drops rows whose text an earlier row has: word for word, or nearly. The first of each stays, and the
/// others name it.
///
/// @param near null for word for word only
record DeduplicateStep(Texts on, @Nullable NearDuplicates near) implements Step {

    static Step read(String name, Parameters parameters) {
        Texts on = Texts.read(parameters, Texts.CONVERSATION);
        boolean exactOnly =
                parameters.has("minhash") && parameters.node("minhash").isBoolean();
        if (exactOnly && parameters.flag("minhash", true)) {
            parameters.wrong("minhash", "its parameters, or false", "true");
        }
        return new DeduplicateStep(on, exactOnly ? null : near(parameters.below("minhash")));
    }

    /// The defaults are those that FineWeb was made with: runs of five words, 14 bands of 8, three
    /// quarters.
    private static NearDuplicates near(Parameters parameters) {
        NearDuplicates near = new NearDuplicates(
                parameters.integer("words", 5, 1),
                new MinHash(
                        parameters.integer("bands", 14, 1),
                        parameters.integer("rows", 8, 1),
                        parameters.whole("seed", 1, Long.MIN_VALUE)),
                parameters.decimal("threshold", 0.75, 0, 1));
        parameters.refuseUnknown();
        return near;
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> rows = exact(in.withColumn("#text", on.of()));
        if (near != null) {
            rows = withoutNear(rows.localCheckpoint(), near);
        }
        return new Made(rows, in.count());
    }

    private static Dataset<Row> exact(Dataset<Row> in) {
        UDF1<@Nullable String, @Nullable String> words = text -> text == null ? null : normal(text);
        WindowSpec same = Window.partitionBy("#words").orderBy(col(PipelineRow.POSITION), col(PipelineRow.ROW_ID));
        return in.withColumn(
                        "#words", functions.udf(words, DataTypes.StringType).apply(col("#text")))
                .withColumn("#nth", row_number().over(same))
                .withColumn("#original", first(col(PipelineRow.ROW_ID)).over(same))
                .withColumn(PipelineRow.REASON, when(col("#nth").gt(1), lit("duplicate")))
                .withColumn(PipelineRow.DETAIL, when(col("#nth").gt(1), concat(lit("of "), col("#original"))))
                .drop("#words", "#nth", "#original");
    }

    /// The words of a text; the text itself if it has none.
    private static String normal(String text) {
        String words = String.join(" ", TextMetrics.words(text));
        return words.isEmpty() ? text.strip() : words;
    }

    private static Dataset<Row> withoutNear(Dataset<Row> rows, NearDuplicates near) {
        Dataset<Row> dropped = FirstWins.dropped(near.pairs(PipelineRow.kept(rows)
                        .select(
                                col(PipelineRow.POSITION),
                                col(PipelineRow.ROW_ID),
                                col("#text").as("text"))))
                .select(
                        col(FirstWins.LATER).getField(PipelineRow.ROW_ID).as("#dropped"),
                        format_string(
                                        "of %s, Jaccard %.4f",
                                        col(FirstWins.EARLIER).getField(PipelineRow.ROW_ID), col(FirstWins.SIMILARITY))
                                .as("#why"));
        return rows.join(dropped, col(PipelineRow.ROW_ID).equalTo(col("#dropped")), "left")
                .withColumn(PipelineRow.DETAIL, functions.coalesce(col(PipelineRow.DETAIL), col("#why")))
                .withColumn(
                        PipelineRow.REASON,
                        functions.coalesce(
                                col(PipelineRow.REASON), when(col("#dropped").isNotNull(), lit("near-duplicate"))));
    }
}
