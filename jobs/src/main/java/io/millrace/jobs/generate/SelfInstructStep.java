package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.array_sort;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.format_string;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.posexplode_outer;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// New instructions from a few (Wang et al. 2023, "Self-Instruct"): a model is shown some, drawn anew for
/// each request, and goes on with the list; what it writes joins the pool if it is new. The prompts of
/// the rows that come in are the pool's beginning, and stay.
///
/// @param rounds how often the pool grows; a round draws from what the rounds before left
/// @param requests of each round
/// @param seedExamples instructions of the beginning that a request shows
/// @param ownExamples instructions of earlier rounds that it shows; in the first round seeds stand in for
///     them
/// @param wanted instructions that a request asks for
record SelfInstructStep(int rounds, int requests, int seedExamples, int ownExamples, int wanted, Novelty novelty)
        implements Step {
    static Step read(String name, Parameters parameters) {
        return new SelfInstructStep(
                parameters.integer("rounds", 1, 1),
                parameters.integer("requests", 100, 1),
                parameters.integer("seed-examples", 6, 1),
                parameters.integer("own-examples", 2, 0),
                parameters.integer("wanted", 8, 1),
                new Novelty(parameters.decimal("max-rouge-l", 0.7, 0, 1)));
    }

    @Override
    public boolean infers() {
        return true;
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> all = PipelineRow.shaped(in);
        long expected = in.count();
        if (expected == 0) {
            return new Made(all, 0);
        }
        for (int round = 1; round <= rounds; round++) {
            int at = round;
            Dataset<Row> pool = PipelineRow.kept(all);
            Dataset<Row> asked = stage.once("round-" + at + "-prompts", () -> prompts(stage, pool, at));
            Dataset<Row> said = stage.ask("round-" + at + "-", () -> asked, Map.of("sampling.samples", "1"));
            Dataset<Row> written = stage.once("round-" + at, () -> judged(pool, instructions(stage, asked, said)));
            expected += items(said);
            all = all.unionByName(written);
        }
        return new Made(all, expected);
    }

    /// The requests of a round: row_id, position and text.
    private Dataset<Row> prompts(Stage stage, Dataset<Row> pool, int round) {
        Column own = col(PipelineRow.POSITION).getItem(0).equalTo((long) stage.number());
        Dataset<Row> numbered = pool.select(col(PipelineRow.PROMPT), col(PipelineRow.POSITION), own.as("#own"))
                .withColumn(
                        "#nth",
                        row_number()
                                .over(Window.partitionBy("#own").orderBy(PipelineRow.POSITION))
                                .minus(1)
                                .cast("long"));
        long ofOwn = numbered.where("`#own`").count();
        long ofSeeds = numbered.count() - ofOwn;
        int shownOwn = (int) Math.min(ownExamples, ofOwn);
        int shownSeeds = (int) Math.min((long) seedExamples + ownExamples - shownOwn, ofSeeds);
        Dataset<Row> slots = stage.spark()
                .range(requests)
                .select(
                        col("id"),
                        posexplode_outer(draws(stage.seed(), round, shownSeeds, ofSeeds, shownOwn, ofOwn)
                                        .apply(col("id")))
                                .as(new String[] {"slot", "#draw"}))
                .withColumn("#isOwn", col("slot").geq(shownSeeds));
        Dataset<Row> shown = slots.join(
                        numbered,
                        col("#draw").equalTo(col("#nth")).and(col("#isOwn").equalTo(col("#own"))))
                .groupBy("id")
                .agg(array_sort(collect_list(struct(col("slot"), col(PipelineRow.PROMPT))))
                        .as("#shown"));
        int next = shownSeeds + shownOwn + 1;
        String introduction = String.format(Locale.ROOT, """
            Here is a list of tasks that people have given to an assistant which reads and writes text. They are of \
            many kinds, and each can be done without anything but its own words. Go on with the list: write %d more \
            tasks that differ from these and from each other, each on a line of its own behind its number.

            """, wanted);
        return shown.select(
                sha2(concat_ws("\n", lit(stage.name()), lit(stage.seed()), lit(round), col("id")), 256)
                        .as(PipelineRow.ROW_ID),
                array(lit((long) stage.number()), lit((long) round), col("id")).as(PipelineRow.POSITION),
                functions
                        .concat(
                                lit(introduction),
                                functions.array_join(
                                        functions.transform(
                                                col("#shown"),
                                                one -> format_string(
                                                        "%d. %s",
                                                        one.getField("slot").plus(1),
                                                        functions.regexp_replace(
                                                                one.getField(PipelineRow.PROMPT),
                                                                lit("\\s+"),
                                                                lit(" ")))),
                                        "\n"),
                                lit("\n" + next + "."))
                        .as("text"));
    }

    /// Numbers in the pool that a request shows: seeds first, then the rounds' own; each drawn without
    /// putting back.
    private static UserDefinedFunction draws(long seed, int round, int seeds, long ofSeeds, int own, long ofOwn) {
        UDF1<Long, long[]> draws = request -> {
            SplittableRandom random = new SplittableRandom(seed * 1_000_003L + round * 8_191L + request);
            LongStream first = random.longs(0, ofSeeds).distinct().limit(seeds);
            return own == 0
                    ? first.toArray()
                    : LongStream.concat(first, random.longs(0, ofOwn).distinct().limit(own))
                            .toArray();
        };
        return functions.udf(draws, DataTypes.createArrayType(DataTypes.LongType, false));
    }

    /// A row for each instruction written; one for a request that brought none.
    private static Dataset<Row> instructions(Stage stage, Dataset<Row> asked, Dataset<Row> said) {
        Column item = col("#item");
        Column id = PipelineRow.childId(col(Stage.ROW), stage.name(), coalesce(col("#nth"), lit(-1)));
        Column last = col("#nth").equalTo(col("#items").minus(1));
        Dataset<Row> items = asked.select(
                        col(PipelineRow.ROW_ID).as("#asked"),
                        col(PipelineRow.POSITION).as("#at"))
                .join(said, col("#asked").equalTo(col(Stage.ROW)))
                .withColumn("#list", list().apply(col(Stage.TEXT), col(Stage.FAULT)))
                .withColumn("#items", size(col("#list")))
                .select(col("*"), posexplode_outer(col("#list")).as(new String[] {"#nth", "#item"}));
        return PipelineRow.shaped(items.select(
                id.as(PipelineRow.ROW_ID),
                id.as(PipelineRow.SEED_ID),
                functions
                        .concat(col("#at"), array(coalesce(col("#nth"), lit(0)).cast("long")))
                        .as(PipelineRow.POSITION),
                item.as(PipelineRow.PROMPT),
                array(col(Stage.REQUEST)).as(PipelineRow.PROVENANCE),
                coalesce(
                                col(Stage.FAULT),
                                when(item.isNull(), lit("no-instruction")),
                                // what the last token cut off is not what was meant
                                when(col(Stage.FINISH).equalTo("length").and(last), lit("truncated")),
                                refusal().apply(item))
                        .as(PipelineRow.REASON),
                col(Stage.FAULT_DETAIL).as(PipelineRow.DETAIL)));
    }

    private static UserDefinedFunction list() {
        UDF2<@Nullable String, @Nullable String, String[]> list = (text, fault) -> text == null || fault != null
                ? new String[0]
                : Instructions.of(text).toArray(String[]::new);
        return functions.udf(list, DataTypes.createArrayType(DataTypes.StringType));
    }

    private static UserDefinedFunction refusal() {
        UDF1<@Nullable String, @Nullable String> refusal = text -> text == null ? null : Instructions.refusal(text);
        return functions.udf(refusal, DataTypes.StringType);
    }

    /// Drops what is too near to something earlier that stands.
    private Dataset<Row> judged(Dataset<Row> pool, Dataset<Row> written) {
        List<Column> columns = List.of(
                col(PipelineRow.POSITION),
                col(PipelineRow.ROW_ID),
                col(PipelineRow.PROMPT).as("text"));
        Dataset<Row> standing = pool.select(columns.toArray(Column[]::new)).withColumn("#isNew", lit(false));
        Dataset<Row> coming =
                PipelineRow.kept(written).select(columns.toArray(Column[]::new)).withColumn("#isNew", lit(true));
        Dataset<Row> dropped = FirstWins.dropped(novelty.pairs(standing.unionByName(coming), col("#isNew")))
                .select(
                        col(FirstWins.LATER).getField(PipelineRow.ROW_ID).as("#dropped"),
                        format_string(
                                        "of %s, ROUGE-L %.4f",
                                        col(FirstWins.EARLIER).getField(PipelineRow.ROW_ID), col(FirstWins.SIMILARITY))
                                .as("#why"));
        return PipelineRow.shaped(written.join(dropped, col(PipelineRow.ROW_ID).equalTo(col("#dropped")), "left")
                .withColumn(PipelineRow.DETAIL, coalesce(col(PipelineRow.DETAIL), col("#why")))
                .withColumn(
                        PipelineRow.REASON,
                        coalesce(col(PipelineRow.REASON), when(col("#dropped").isNotNull(), lit("not-new")))));
    }

    /// How many rows the answers make.
    private static long items(Dataset<Row> said) {
        Row sum = said.agg(sum(functions.greatest(lit(1), size(list().apply(col(Stage.TEXT), col(Stage.FAULT))))))
                .first();
        return sum.isNullAt(0) ? 0 : sum.getLong(0);
    }
}
