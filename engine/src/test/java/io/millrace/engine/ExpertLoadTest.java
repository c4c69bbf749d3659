package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.checkpoint.RandomCheckpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExpertLoadTest {
    private static final Path VECTORS = Path.of("src/test/resources/vectors");

    @TempDir
    private Path folder = Path.of("");

    @Test
    void v4_everyLayer_countsTheStepsTokensTimesExpertsPerToken() {
        RandomCheckpoint checkpoint = new RandomCheckpoint();
        checkpoint.mtpLayers = 1;
        Path model = checkpoint.write(folder.resolve("model"));

        requireCounted(model, 2);
    }

    @Test
    void qwen3_everyLayer_countsTheStepsTokensTimesExpertsPerToken() {
        requireCounted(VECTORS.resolve("tiny-qwen3moe"), 2);
    }

    private static void requireCounted(Path model, int expertsPerToken) {
        try (LocalEngine engine =
                LocalEngine.open(new EngineConfig(model, "vector", 1, 1L << 26, 32, 4, CacheRounding.AUTO))) {
            assertThat(engine.expertLoad()).isEqualTo(ExpertLoad.NONE);
            engine.logits(new int[] {1, 2, 3});
            List<CompletableFuture<GenerationResult>> results = IntStream.range(0, 6)
                    .mapToObj(row -> engine.submit(new GenerationRequest(
                            "row-" + row,
                            TokenIds.of(IntStream.range(row, row + 45).toArray()),
                            new SamplingParams(0, 1, 0, 0, 8, List.of(), 0, false))))
                    .toList();
            assertThat(results)
                    .allSatisfy(result -> assertThat(result.join()).isInstanceOf(GenerationResult.Completed.class));

            EngineStats stats = engine.stats();
            assertThat(stats.stepTokens()).isGreaterThan(6 * 40);
            ExpertLoad load = engine.expertLoad();
            assertThat(load.layers()).hasSizeGreaterThan(1).allSatisfy(layer -> {
                assertThat(layer.total()).isEqualTo(stats.stepTokens() * expertsPerToken);
                assertThat(layer.balance()).isBetween(1.0 / layer.tokens().size(), 1.0);
            });
            assertThat(load.balance()).isBetween(load.leastEven().balance(), 1.0);
        }
    }

    private static ExpertLoad load(Long... tokens) {
        return new ExpertLoad(List.of(new ExpertLoad.Layer(3, List.of(tokens))));
    }

    @Test
    void balance_isTheMeanOverTheMost() {
        assertThat(load(4L, 4L, 4L, 4L).balance()).isEqualTo(1.0);
        assertThat(load(8L, 0L, 0L, 0L).balance()).isEqualTo(0.25);
        assertThat(ExpertLoad.NONE.balance()).isNaN();
    }

    @Test
    void plusAndSince_areInverse() {
        assertThat(load(1L, 2L).plus(load(3L, 5L))).isEqualTo(load(4L, 7L));
        assertThat(load(4L, 7L).since(load(3L, 5L))).isEqualTo(load(1L, 2L));
        assertThat(ExpertLoad.NONE.plus(load(1L, 2L))).isEqualTo(load(1L, 2L));
        assertThat(load(1L, 2L).since(ExpertLoad.NONE)).isEqualTo(load(1L, 2L));
        assertThatThrownBy(() -> load(1L, 2L).plus(load(1L)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected [[3, 2]] (layer, experts), got [[3, 1]]");
    }
}
