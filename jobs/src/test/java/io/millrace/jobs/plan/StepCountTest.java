package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.jobs.plan.StepCount.Request;
import io.millrace.jobs.plan.StepCount.Room;
import io.millrace.udf.SamplingRecipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class StepCountTest {
    private static final Path MODEL = Path.of("../engine/models/synopsis-v4");

    @Test
    void promptGivesTheFirstToken() {
        assertThat(StepCount.of(List.of(new Request(10, 3, 1)), new Room(64, 8)))
                .isEqualTo(new StepCount(3, 12));
    }

    @Test
    void longPrompt_isCut() {
        assertThat(StepCount.of(List.of(new Request(100, 1, 1)), new Room(64, 8)))
                .isEqualTo(new StepCount(2, 100));
    }

    @Test
    void rowsBeyondTheBatch_wait() {
        List<Request> four = Collections.nCopies(4, new Request(4, 2, 1));
        assertThat(StepCount.of(four, new Room(64, 2))).isEqualTo(new StepCount(4, 20));
        assertThat(StepCount.of(four, new Room(64, 4))).isEqualTo(new StepCount(2, 20));
    }

    @Test
    void beams_takeAsManyRows() {
        List<Request> two = Collections.nCopies(2, new Request(4, 3, 4));
        assertThat(StepCount.of(two, new Room(64, 4)).steps()).isEqualTo(6);
        assertThat(StepCount.of(two, new Room(64, 8))).isEqualTo(new StepCount(3, 24));
    }

    @Test
    void scoredRow_isOnePass() {
        assertThat(StepCount.of(List.of(new Request(20, 0, 1)), new Room(64, 4)))
                .isEqualTo(new StepCount(1, 20));
    }

    /// The engine does not know before where an answer ends, so it fills steps in its own order: a little
    /// more or less is as good.
    @Test
    void bundledModel_asTheEngineCounts() {
        Room room = new Room(256, 16);
        Random random = new Random(5);
        EngineConfig machine = EngineConfig.of(MODEL);
        try (LocalEngine engine = LocalEngine.open(new EngineConfig(
                MODEL,
                "auto",
                machine.threads(),
                machine.cacheBudgetBytes(),
                room.stepTokens(),
                room.maxRunning(),
                CacheRounding.AUTO,
                false,
                false))) {
            SamplingParams sampling = SamplingRecipe.greedy(6).params(0);
            List<CompletableFuture<GenerationResult>> futures = new ArrayList<>();
            List<Integer> prompts = new ArrayList<>();
            for (int at = 0; at < 60; at++) {
                int[] ids = random.ints(10 + random.nextInt(60), 300, 3000).toArray();
                prompts.add(ids.length);
                futures.add(engine.submit(new GenerationRequest("r" + at, TokenIds.of(ids), sampling)));
            }
            List<Request> requests = new ArrayList<>();
            for (int at = 0; at < 60; at++) {
                GenerationResult.Completed completed =
                        (GenerationResult.Completed) futures.get(at).join();
                // the token that ends an answer is computed, but is none of its tokens
                int ended = completed.usage().completionTokens() < 6 ? 1 : 0;
                requests.add(new Request(prompts.get(at), completed.usage().completionTokens() + ended, 1));
            }
            StepCount count = StepCount.of(requests, room);
            assertThat((double) count.steps())
                    .isCloseTo(
                            engine.stats().steps(), within(0.15 * engine.stats().steps()));
            assertThat((double) count.tokens())
                    .isCloseTo(
                            engine.stats().stepTokens(),
                            within(0.03 * engine.stats().stepTokens()));
        }
    }
}
