package io.millrace.jobs.bench;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// This engine, in this JVM, on random prompts.
final class OurEngine implements Contestant {
    private static final int STEP_TOKENS = 512;
    private static final int MAX_RUNNING = 512;
    private static final int PREFILL_ROWS = 4;
    private static final int DECODE_PROMPT = 16;
    private static final long POLL_NANOS = 500_000;

    private final LocalEngine engine;
    private final int threads;
    private final int promptTokens;
    private final int generatedTokens;
    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(20261122);

    OurEngine(Path model, String ring, int threads, int promptTokens, int generatedTokens) {
        this.threads = threads;
        this.promptTokens = promptTokens;
        this.generatedTokens = generatedTokens;
        long budget = EngineConfig.of(model).cacheBudgetBytes();
        engine = LocalEngine.open(
                new EngineConfig(model, ring, threads, budget, STEP_TOKENS, MAX_RUNNING, CacheRounding.AUTO));
    }

    @Override
    public String name() {
        return "millrace";
    }

    @Override
    public String settings() {
        return engine.model().ring() + "; " + STEP_TOKENS + " tokens a step; " + threads + " threads";
    }

    @Override
    public double tokensPerSecond(Work work) {
        return work.isPrefill() ? prefill() : decode(work.streams());
    }

    private double prefill() {
        long started = System.nanoTime();
        finish(submit(PREFILL_ROWS, promptTokens, 1));
        return PREFILL_ROWS * promptTokens / seconds(System.nanoTime() - started);
    }

    /// Counted from the moment on which every stream has its first token.
    private double decode(int streams) {
        long before = engine.stats().completionTokens();
        List<CompletableFuture<GenerationResult>> results = submit(streams, DECODE_PROMPT, generatedTokens);
        EngineStats begun = engine.stats();
        while (begun.completionTokens() - before < streams || begun.waiting() > 0) {
            LockSupport.parkNanos(POLL_NANOS);
            begun = engine.stats();
        }
        long started = System.nanoTime();
        finish(results);
        long generated = (long) streams * generatedTokens - (begun.completionTokens() - before);
        return generated / seconds(System.nanoTime() - started);
    }

    private List<CompletableFuture<GenerationResult>> submit(int rows, int prompt, int generated) {
        List<CompletableFuture<GenerationResult>> results = new ArrayList<>();
        SamplingParams greedy = new SamplingParams(0, 1, 0, 0, generated, List.of(), 0, true);
        for (int row = 0; row < rows; row++) {
            int[] ids = random.ints(prompt, 0, engine.model().vocabSize()).toArray();
            results.add(engine.submit(new GenerationRequest("bench-" + row, TokenIds.of(ids), greedy)));
        }
        return results;
    }

    private static void finish(List<CompletableFuture<GenerationResult>> results) {
        for (CompletableFuture<GenerationResult> result : results) {
            if (result.join() instanceof GenerationResult.Failed failed) {
                throw new EngineException(failed.code(), failed.message());
            }
        }
    }

    private static double seconds(long nanos) {
        return nanos / 1e9;
    }

    @Override
    public void close() {
        engine.close();
    }
}
