package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// This module knows no cards: a ring that names one is not found here, and the message tells which it was.
class LocalEngineProviderTest {
    private static final Path MODEL = Path.of("..", "engine", "models", "synopsis-v4");

    private static EngineRecipe recipe(String ring) {
        return new EngineRecipe(
                EngineRecipe.LOCAL, MODEL.toString(), "unused", ring, 1, 1 << 24, 64, 4, CacheRounding.OFF, true, true);
    }

    @ParameterizedTest
    @CsvSource({"auto, npu:3", "npu, npu:3", "npu:bf16, npu:3:bf16"})
    void open_withACard_computesOnIt(String ring, String onCard) {
        assertThatThrownBy(() -> new LocalEngineProvider().open(recipe(ring), List.of("3")))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining(onCard);
    }

    @ParameterizedTest
    @CsvSource({"native, 3", "npu0, 3", "auto, 3 4"})
    void open_withACardThatWouldNotCompute_isRefused(String ring, String cards) {
        assertThatThrownBy(() -> new LocalEngineProvider().open(recipe(ring), List.of(cards.split(" "))))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION))
                .hasMessageStartingWith("cards [" + cards.replace(" ", ", ")
                        + "]: expected one card and engine.ring auto, npu or npu:CHOICE, got engine.ring " + ring);
    }

    @Test
    void open_withoutCards_computesOnTheProcessors() {
        try (PromptEngine engine = new LocalEngineProvider().open(recipe("vector"), List.of())) {
            assertThat(engine.device()).isEqualTo("cpu");
            assertThat(engine.identity().kernels()).contains("Vector API");
        }
    }

    @Test
    void beside_isOnTheProcessors() {
        assertThat(recipe("npu:bf16").beside(EngineRecipe.LOCAL)).isEqualTo(recipe("auto"));
        assertThat(recipe("vector").beside(EngineRecipe.LOCAL)).isEqualTo(recipe("vector"));
    }
}
