package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.schemas.Columns.Completion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GenerateFunctionTest {
    private static final StructType SCHEMA = SparkSchemas.completion();

    private static GenerateRecipe recipe(int samples) {
        EngineRecipe engine = new EngineRecipe(
                "fake", "fake-model", "cache", "reference", 1, 0, 16, 2, CacheRounding.AUTO, true, true);
        SamplingRecipe sampling = new SamplingRecipe(0, 1, 0, 0, 8, List.of(), 0, samples, 1, 0);
        return new GenerateRecipe(engine, PromptRecipe.ofText(), sampling, "run", "f".repeat(64), "test");
    }

    private static List<Row> run(GenerateRecipe recipe, String... texts) {
        return run(recipe, Duration.ofSeconds(30), texts);
    }

    private static List<Row> run(GenerateRecipe recipe, Duration patience, String... texts) {
        return run(
                recipe,
                patience,
                IntStream.range(0, texts.length)
                        .mapToObj(index -> input(index, texts[index], null, null))
                        .toList());
    }

    private static List<Row> run(GenerateRecipe recipe, Duration patience, List<Row> input) {
        List<Row> rows = new ArrayList<>();
        new GenerateFunction(recipe, patience).call(input.iterator()).forEachRemaining(rows::add);
        return rows;
    }

    private static Row input(long row, String text, @Nullable String parameters, @Nullable String continuations) {
        return new GenericRowWithSchema(
                new Object[] {
                    "file:/in", "1@2", 0, row, null, text, "the reference", null, null, null, parameters, continuations
                },
                InputColumns.schema(List.of()));
    }

    private static List<Row> run(GenerateRecipe recipe, Row... input) {
        return run(recipe, Duration.ofSeconds(30), List.of(input));
    }

    private static Object value(Row row, String column) {
        return row.get(SCHEMA.fieldIndex(column));
    }

    /// The tests of this process share its engine.
    @AfterEach
    void closeEngine() {
        ExecutorEngine.ofThisProcess().close();
    }

    @Test
    void call_manyRows_keepsOrderAndCount() {
        String[] texts =
                IntStream.range(0, 100).mapToObj(index -> "row " + index).toArray(String[]::new);

        List<Row> rows = run(recipe(1), texts);

        assertThat(rows).extracting(row -> value(row, Completion.OUTPUT_TEXT)).containsExactly((Object[]) texts);
    }

    @Test
    void call_languages_areToldWhereAsked() {
        String text = "The mill stands where the river leaves the hills, and a wheel of oak turns its stones.";

        assertThat(value(run(recipe(1), text).getFirst(), Completion.SOURCE_LANGUAGE))
                .isNull();
        assertThat(value(run(recipe(1).withLanguages(true), text).getFirst(), Completion.SOURCE_LANGUAGE))
                .isEqualTo("eng");
    }

    @Test
    void call_samples_eachRowThatManyTimes() {
        List<Row> rows = run(recipe(3), "a", "b");

        assertThat(rows)
                .extracting(row -> value(row, Completion.OUTPUT_TEXT) + "/" + value(row, Completion.SAMPLE_IDX))
                .containsExactly("a/0", "a/1", "a/2", "b/0", "b/1", "b/2");
        assertThat(rows).extracting(row -> value(row, Completion.REQUEST_ID)).doesNotHaveDuplicates();
    }

    @Test
    void call_failedRequest_isAnErrorRow() {
        Row row = run(recipe(1), "REFUSE-ME").getFirst();

        assertThat(value(row, Completion.STATUS)).isEqualTo("error");
        assertThat(value(row, Completion.FINISH_REASON)).isEqualTo("error");
        assertThat(value(row, Completion.OUTPUT_TEXT)).isNull();
        assertThat(value(row, Completion.PROMPT_TOKENS)).isEqualTo(11);
        Row error = (Row) value(row, Completion.RowError.COLUMN);
        assertThat(error.get(0)).isEqualTo("BAD_INPUT");
        assertThat(error.get(1)).isEqualTo("INVALID_REQUEST");
        assertThat(error.get(2)).isEqualTo("refused as asked");
    }

    @Test
    void call_failureThatMayPass_isTriedOnceMore() {
        assertThat(value(run(recipe(1), "FLAKY row of call").getFirst(), Completion.STATUS))
                .isEqualTo("ok");
    }

    @Test
    void call_lostDevice_failsTheTask() {
        assertThatThrownBy(() -> run(recipe(1), "LOSE-DEVICE"))
                .isInstanceOfSatisfying(
                        EngineException.class,
                        thrown -> assertThat(thrown.code()).isEqualTo(ErrorCode.DEVICE_FAILED));
    }

    @Test
    void call_engineWithoutSteps_failsTheTaskAndIsReplaced() {
        FakeEngine stuck = leased();

        assertThatThrownBy(() -> run(recipe(1), Duration.ofSeconds(1), "fine", "HANG", "fine"))
                .isInstanceOfSatisfying(EngineException.class, thrown -> {
                    assertThat(thrown.code()).isEqualTo(ErrorCode.ENGINE_STALLED);
                    assertThat(thrown).hasMessageContaining("expected a step within 1 s, got none");
                });
        assertThat(leased()).isNotSameAs(stuck);
        assertThat(value(run(recipe(1), "fine").getFirst(), Completion.STATUS)).isEqualTo("ok");
    }

    private static FakeEngine leased() {
        try (ExecutorEngine.Lease lease =
                ExecutorEngine.ofThisProcess().lease(recipe(1).engine())) {
            return (FakeEngine) lease.engine();
        }
    }

    @Test
    void call_completed_hasMetrics() {
        Row row = run(recipe(1), "The references").getFirst();

        assertThat(value(row, Completion.OUTPUT_TEXT)).isEqualTo("The referenc");
        assertThat(value(row, Completion.OUTPUT_CHARS)).isEqualTo(12);
        assertThat(value(row, Completion.SOURCE_CHARS)).isEqualTo(14);
        assertThat(value(row, Completion.LENGTH_RATIO)).isEqualTo(12.0 / 14);
        assertThat(value(row, Completion.ROUGE1)).isEqualTo(0.5);
        assertThat(value(row, Completion.TEMPLATE_LEAK)).isEqualTo(false);
        assertThat(value(row, Completion.COMPLETION_TOKENS)).isEqualTo(12);
        assertThat(value(row, Completion.PROMPT_SHA256))
                .isEqualTo(RowIdentity.sha256Hex("<user>The references</user>"));
    }

    @Test
    void call_rowsOwnSamples_othersAreSkipped() {
        List<Row> rows = run(
                recipe(3),
                input(0, "a", "{\"n\": 2, \"seed\": 5}", null),
                input(1, "b", null, null),
                input(2, "c", "{\"n\": 4}", null));

        assertThat(rows)
                .extracting(row -> value(row, Completion.STATUS))
                .containsExactly("ok", "ok", "skipped", "ok", "ok", "ok", "error", "error", "error");
        assertThat(rows.subList(0, 2))
                .extracting(row -> value(row, Completion.SEED))
                .containsExactly(5L, 6L);
        assertThat(value(rows.get(2), Completion.FINISH_REASON)).isNull();
        assertThat(value(rows.get(2), Completion.RowError.COLUMN)).isNull();
        assertThat(((Row) value(rows.get(6), Completion.RowError.COLUMN)).getString(2))
                .isEqualTo("parameters.n: expected at most the run's sampling.samples of 3, got 4"
                        + " (file:/in, row group 0, row 2)");
    }

    @Test
    void call_badParameters_areAnErrorRowEach() {
        List<Row> rows = run(
                recipe(1),
                input(0, "a", "{\"temperature\": \"hot\"}", null),
                input(1, "b", "[1]", null),
                input(2, "c", "{\"temperature\": 1", null),
                input(3, "d", "{\"presence_penalty\": 1}", null),
                input(4, "e", "{\"temperature\": 1, \"top_k\": null}", null));

        assertThat(rows)
                .extracting(row -> value(row, Completion.STATUS))
                .containsExactly("error", "error", "error", "error", "ok");
        assertThat(rows.subList(0, 4))
                .extracting(row -> ((Row) value(row, Completion.RowError.COLUMN)).getString(1))
                .containsOnly("PARAMETERS_INVALID");
        assertThat(((Row) value(rows.getFirst(), Completion.RowError.COLUMN)).getString(2))
                .startsWith("parameters.temperature: expected a number >= 0, got \"hot\" (file:/in, row");
    }

    @Test
    void call_retryOfARowWithParameters_hasWhatTheRetrySays() {
        GenerateRecipe retry = recipe(1).with(new Retry(1, List.of("r"), new TreeMap<>(Map.of("temperature", 0.9))));
        Row asked = input(0, "LOOPS-BELOW=0.8 ", "{\"temperature\": 0.1, \"seed\": 5}", null);

        Row first = run(recipe(1), asked).getFirst();
        Row second = run(retry, asked).getFirst();

        assertThat(value(first, Completion.OUTPUT_TEXT)).asString().startsWith("loop");
        assertThat(value(second, Completion.OUTPUT_TEXT)).asString().startsWith("LOOPS");
        assertThat(value(first, Completion.SEED)).isEqualTo(5L);
        assertThat(value(second, Completion.SEED)).isNotEqualTo(5L);
    }

    @Test
    void call_logprobs_areToldWithAsManyLikeliestAsAsked() {
        List<Row> rows = run(
                recipe(1),
                input(0, "ab", "{\"logprobs\": true, \"top_logprobs\": 2}", null),
                input(1, "ab", "{\"logprobs\": 0}", null),
                input(2, "ab", null, null));

        List<Row> told = logprobs(rows.get(0));
        assertThat(told).extracting(token -> token.getString(0)).containsExactly("a", "b");
        assertThat(told.getFirst().getInt(1)).isEqualTo('a');
        assertThat(told.getFirst().getDouble(2)).isEqualTo(-0.5);
        assertThat(told.getFirst().<Row>getList(3))
                .extracting(top -> top.getString(0))
                .containsExactly("a", "`");
        assertThat(logprobs(rows.get(1)).getLast().<Row>getList(3)).isEmpty();
        assertThat(value(rows.get(2), Completion.Logprobs.COLUMN)).isNull();
    }

    private static List<Row> logprobs(Row row) {
        return row.getList(SCHEMA.fieldIndex(Completion.Logprobs.COLUMN));
    }

    @Test
    void call_continuations_areScoredOnce() {
        List<Row> rows = run(
                recipe(2),
                input(0, "Berlin is in", null, "[\"Berlin\", \" x\"]"),
                input(1, "FLAKY row of scores", null, "[\"y\"]"),
                input(2, "REFUSE-ME", null, "[\"y\"]"),
                input(3, "fine", null, "[]"),
                input(4, "fine", null, "\"y\""));

        assertThat(rows)
                .extracting(row -> value(row, Completion.STATUS))
                .containsExactly(
                        "ok", "skipped", "ok", "skipped", "error", "skipped", "error", "error", "error", "error");
        List<Row> scores = rows.getFirst().getList(SCHEMA.fieldIndex(Completion.Scores.COLUMN));
        assertThat(scores).containsExactly(RowFactory.create(-3.0, 6, true), RowFactory.create(-1.0, 2, false));
        assertThat(value(rows.getFirst(), Completion.OUTPUT_TEXT)).isNull();
        assertThat(value(rows.getFirst(), Completion.COMPLETION_TOKENS)).isEqualTo(8);
        assertThat(((Row) value(rows.get(4), Completion.RowError.COLUMN)).getString(2))
                .isEqualTo("not scored, as asked");
        assertThat(((Row) value(rows.get(6), Completion.RowError.COLUMN)).getString(1))
                .isEqualTo("CONTINUATIONS_INVALID");
    }

    @Test
    void call_everyColumnThatMayNotBeNull_isSet() {
        for (Row row : run(
                recipe(2),
                input(0, "fine", "{\"n\": 1, \"logprobs\": true}", null),
                input(1, "REFUSE-ME", null, null),
                input(2, " ", null, null),
                input(3, "fine", null, "[\"y\"]"))) {
            for (int column = 0; column < SCHEMA.length(); column++) {
                assertThat(row.isNullAt(column) && !SCHEMA.apply(column).nullable())
                        .as(SCHEMA.apply(column).name())
                        .isFalse();
            }
        }
    }
}
