package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ExecutorEngineTest {
    private final ExecutorEngine executor = new ExecutorEngine();

    private static EngineRecipe recipe(String model) {
        return new EngineRecipe("fake", model, "cache", "auto", 1, 0, 16, 4, CacheRounding.AUTO, true, true);
    }

    @Test
    void lease_equalRecipes_shareOneEngine() {
        try (ExecutorEngine.Lease first = executor.lease(recipe("a"));
                ExecutorEngine.Lease second = executor.lease(recipe("a"))) {
            assertThat(second.engine()).isSameAs(first.engine());
        }
    }

    @Test
    void lease_afterRelease_keepsTheEngineOpen() {
        ExecutorEngine.Lease first = executor.lease(recipe("a"));
        first.close();
        first.close();

        assertThat(((FakeEngine) first.engine()).isClosed()).isFalse();
        assertThat(executor.lease(recipe("a")).engine()).isSameAs(first.engine());
    }

    @Test
    void lease_otherRecipeWhileInUse_isRefusedWithBoth() {
        try (ExecutorEngine.Lease _ = executor.lease(recipe("a"))) {
            assertThatThrownBy(() -> executor.lease(recipe("b")))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("modelDir=a")
                    .hasMessageContaining("1 tasks")
                    .hasMessageContaining("modelDir=b");
        }
    }

    @Test
    void lease_otherRecipeWhenIdle_replacesAndClosesTheFirst() {
        ExecutorEngine.Lease first = executor.lease(recipe("a"));
        first.close();
        ExecutorEngine.Lease second = executor.lease(recipe("b"));

        assertThat(((FakeEngine) first.engine()).isClosed()).isTrue();
        assertThat(second.engine().model().name()).isEqualTo("b");
    }

    @Test
    void lease_brokenModel_tellsEveryTaskAndLetsOthersIn() {
        for (int task = 0; task < 2; task++) {
            assertThatThrownBy(() -> executor.lease(recipe("broken")))
                    .isInstanceOf(EngineException.class)
                    .hasMessage("model broken: expected a model, got a test");
        }
        assertThat(executor.lease(recipe("a")).engine().model().name()).isEqualTo("a");
    }

    @Test
    void lease_unknownKind_listsWhatThereIs() {
        EngineRecipe unknown =
                new EngineRecipe("steam", "a", "cache", "auto", 1, 0, 16, 4, CacheRounding.AUTO, true, true);

        assertThatThrownBy(() -> executor.lease(unknown))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("fake")
                .hasMessageContaining("got steam");
    }

    @Test
    void close_closesTheEngine() {
        ExecutorEngine.Lease lease = executor.lease(recipe("a"));
        executor.close();
        executor.close();

        assertThat(((FakeEngine) lease.engine()).isClosed()).isTrue();
    }

    @Test
    void report_countsErrorsByClassAndKeepsTheSlowestRows() {
        for (int row = 0; row < 30; row++) {
            executor.finished(finished(row, row % 10 == 0 ? "TEXT_NULL" : null));
        }
        ProgressReport report = executor.report("7");

        assertThat(report.executorId()).isEqualTo("7");
        assertThat(report.device()).isNull();
        assertThat(report.rowsOk()).isEqualTo(27);
        assertThat(report.errors()).containsOnly(Map.entry("TEXT_NULL", 3L));
        assertThat(report.rowsError()).isEqualTo(3);
        assertThat(report.slowest())
                .extracting(FinishedRow::row)
                .containsExactly(29L, 28L, 27L, 26L, 25L, 24L, 23L, 22L, 21L, 20L);
    }

    private static FinishedRow finished(int row, @Nullable String error) {
        return new FinishedRow("id", "file", 0, row, 0, error, 5, 6, 100 - row, row, 1);
    }

    /// Tokens of an answer.
    private static long answered(PromptEngine engine) {
        GenerationResult result = engine.submit(new GenerationRequest(
                        "row", engine.encodeText("a text"), new SamplingParams(0, 1, 0, 0, 8, List.of(), 0, false)))
                .join();
        return ((GenerationResult.Completed) result).usage().completionTokens();
    }

    @Test
    void report_whenTheEngineWasReplaced_goesOnCounting() {
        ExecutorEngine.Lease first = executor.lease(recipe("a"));
        long tokens = answered(first.engine());
        first.close();
        long more = answered(executor.lease(recipe("b")).engine());

        assertThat(executor.report("0").completionTokens())
                .isEqualTo(tokens + more)
                .isPositive();
        executor.close();
        assertThat(executor.report("0").completionTokens()).isEqualTo(tokens + more);
    }

    private static EngineRecipe onCards() {
        return recipe("a").beside(CardEngineProvider.KIND);
    }

    @Test
    void lease_withCards_opensTheEngineOnThem() {
        executor.bind(new RecordedCards(), reason -> {});

        assertThat(executor.lease(onCards()).engine().device()).isEqualTo("npu 4+5");
    }

    @Test
    void deviceFailed_retiresTheCardsOnceAndTellsTheDriver() {
        RecordedCards cards = new RecordedCards();
        executor.bind(cards, reason -> cards.events.add("told: " + reason));
        ExecutorEngine.Lease lease = executor.lease(onCards());

        lease.failed(ErrorCode.DEVICE_FAILED, "error 507053");
        lease.failed(ErrorCode.DEVICE_FAILED, "error 507015");
        lease.giveUp("no step");

        assertThat(cards.events).containsExactly("DEVICE_FAILED: error 507053", "told: error 507053");
        assertThatThrownBy(() -> executor.lease(onCards()))
                .isInstanceOf(EngineException.class)
                .hasMessage("cards [4, 5] of this executor failed: error 507053");
    }

    @Test
    void giveUp_ofAnEngineOnCards_retiresThem() {
        RecordedCards cards = new RecordedCards();
        executor.bind(cards, reason -> cards.events.add("told: " + reason));

        executor.lease(onCards()).giveUp("no step");

        assertThat(cards.events).containsExactly("ENGINE_STALLED: no step", "told: no step");
    }

    @Test
    void close_givesTheCardsBackUnlessTheyFailed() {
        RecordedCards cards = new RecordedCards();
        executor.bind(cards, reason -> {});
        executor.lease(onCards()).close();
        executor.close();
        assertThat(cards.events).containsExactly("closed");

        ExecutorEngine another = new ExecutorEngine();
        RecordedCards failed = new RecordedCards();
        another.bind(failed, reason -> {});
        another.lease(onCards()).failed(ErrorCode.DEVICE_FAILED, "error 507053");
        another.close();
        assertThat(failed.events).containsExactly("DEVICE_FAILED: error 507053");
    }

    /// Two cards, and what was done with them.
    private static final class RecordedCards implements CardLease {
        private final List<String> events = new ArrayList<>();

        @Override
        public List<String> addresses() {
            return List.of("4", "5");
        }

        @Override
        public void retire(ErrorCode code, String reason) {
            events.add(code + ": " + reason);
        }

        @Override
        public void close() {
            events.add("closed");
        }
    }
}
