package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
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
        EngineRecipe unknown = new EngineRecipe("steam", "a", "cache", "auto", 1, 0, 16, 4, CacheRounding.AUTO, true, true);

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
}
