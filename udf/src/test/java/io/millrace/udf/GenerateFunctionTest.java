package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.schemas.Columns.Completion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;
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
        Iterator<Row> input = IntStream.range(0, texts.length)
                .<Row>mapToObj(index -> new GenericRowWithSchema(
                        new Object[] {
                            "file:/in", "1@2", 0, (long) index, null, texts[index], "the reference", null, null, null
                        },
                        InputColumns.schema(List.of())))
                .iterator();
        List<Row> rows = new ArrayList<>();
        new GenerateFunction(recipe, patience).call(input).forEachRemaining(rows::add);
        return rows;
    }

    private static Object value(Row row, String column) {
        return row.get(SCHEMA.fieldIndex(column));
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
    void call_everyColumnThatMayNotBeNull_isSet() {
        for (Row row : run(recipe(1), "fine", "REFUSE-ME", " ")) {
            for (int column = 0; column < SCHEMA.length(); column++) {
                assertThat(row.isNullAt(column) && !SCHEMA.apply(column).nullable())
                        .as(SCHEMA.apply(column).name())
                        .isFalse();
            }
        }
    }
}
