package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.regexp_replace;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// Makes instructions harder, or others of their kind (Xu et al. 2023, "WizardLM", Evol-Instruct). Each
/// generation evolves every instruction once, in a way drawn for it; one that failed is tried again in
/// the next, as it was. The rows that come in stay.
record EvolveStep(int generations, List<Evolution> ways) implements Step {

    static Step read(String name, Parameters parameters) {
        List<String> known =
                Arrays.stream(Evolution.values()).map(Evolution::word).toList();
        List<String> given = parameters.texts("ways", known);
        if (given.isEmpty() || !known.containsAll(given)) {
            parameters.wrong("ways", "some of " + known, given);
            given = known;
        }
        return new EvolveStep(
                parameters.integer("generations", 1, 1),
                given.stream().map(Evolution::ofWord).toList());
    }

    @Override
    public boolean infers() {
        return true;
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> all = PipelineRow.shaped(in);
        Dataset<Row> front = all;
        long expected = in.count();
        for (int generation = 1; generation <= generations; generation++) {
            int at = generation;
            Dataset<Row> parents = front;
            Dataset<Row> said = stage.ask(
                    "generation-" + at + "-",
                    () -> parents.withColumn("text", asked(stage, at)),
                    Map.of("sampling.samples", "1"));
            Dataset<Row> evolved = stage.once("generation-" + at, () -> evolved(stage, parents, said, at));
            expected += parents.count();
            all = all.unionByName(evolved);
            front = stage.once("generation-" + at + "-front", () -> front(parents, evolved));
        }
        return new Made(all, expected);
    }

    private Column asked(Stage stage, int generation) {
        Column drawn =
                pmod(xxhash64(lit(stage.seed()), lit(generation), col(PipelineRow.ROW_ID)), lit((long) ways.size()));
        Column asked = lit(null).cast("string");
        for (int way = 0; way < ways.size(); way++) {
            asked = when(
                            drawn.equalTo((long) way),
                            Template.filled(
                                    ways.get(way).template(),
                                    List.of(col(PipelineRow.PROMPT).as("text"))))
                    .otherwise(asked);
        }
        return asked;
    }

    private static Dataset<Row> evolved(Stage stage, Dataset<Row> parents, Dataset<Row> said, int generation) {
        UDF2<@Nullable String, @Nullable String, @Nullable String> refusal =
                (before, after) -> before == null || after == null ? null : Evolution.refusal(before, after);
        Column text = trim(regexp_replace(col(Stage.TEXT), "(?i)^\\s*(?:new )?instruction:\\s*", ""));
        return PipelineRow.shaped(parents.join(said, col(PipelineRow.ROW_ID).equalTo(col(Stage.ROW)), "left")
                .withColumn(PipelineRow.PARENT_ID, col(PipelineRow.ROW_ID))
                .withColumn(
                        PipelineRow.ROW_ID,
                        PipelineRow.childId(col(PipelineRow.PARENT_ID), stage.name(), lit(generation)))
                .withColumn(PipelineRow.POSITION, concat(col(PipelineRow.POSITION), array(lit((long) generation))))
                .withColumn("#before", col(PipelineRow.PROMPT))
                .withColumn(PipelineRow.PROMPT, text)
                // what was true of the instruction before need not be of this one
                .withColumn(PipelineRow.REFERENCE, lit(null).cast("string"))
                .withColumn(PipelineRow.PROVENANCE, Provenance.with(col(Stage.REQUEST)))
                .withColumn(PipelineRow.DETAIL, col(Stage.FAULT_DETAIL))
                .withColumn(
                        PipelineRow.REASON,
                        coalesce(
                                col(Stage.FAULT),
                                when(col(Stage.FINISH).equalTo("length"), lit("truncated")),
                                functions
                                        .udf(refusal, DataTypes.StringType)
                                        .apply(col("#before"), col(PipelineRow.PROMPT)))));
    }

    /// What the next generation evolves: what this one made, and as they were those that it failed with.
    private static Dataset<Row> front(Dataset<Row> parents, Dataset<Row> evolved) {
        Dataset<Row> done = PipelineRow.kept(evolved);
        Dataset<Row> parentsOfDone = done.select(col(PipelineRow.PARENT_ID).as("#done"));
        return done.unionByName(
                parents.join(parentsOfDone, col(PipelineRow.ROW_ID).equalTo(col("#done")), "left_anti"));
    }
}
