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
import io.millrace.jobs.JobException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// This engine, in this JVM, on random prompts.
final class OurEngine implements Contestant {
    private static final int MAX_RUNNING = 512;
    private static final int PREFILL_ROWS = 4;
    private static final int WARM_UP_TOKENS = 768;
    private static final long POLL_NANOS = 500_000;

    private final LocalEngine engine;
    private final String name;
    private final Shape shape;
    private final int stepTokens;
    private final long budget;
    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(20261122);

    /// @param ring `auto` for the best, else its name goes into the table
    OurEngine(Path model, String ring, Shape shape, int stepTokens) {
        this.name = ring.equals("auto") ? Bars.OURS : Bars.OURS + " " + ring;
        this.shape = shape;
        this.stepTokens = stepTokens;
        // nothing but the bench is in this heap
        budget = Runtime.getRuntime().maxMemory() / 5 * 3;
        engine = LocalEngine.open(
                new EngineConfig(model, ring, shape.threads(), budget, stepTokens, MAX_RUNNING, CacheRounding.AUTO));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String settings(Work work) {
        return engine.model().ring() + "; " + stepTokens + " tokens a step; " + shape.threads() + " threads";
    }

    /// What the compiler learns from. A peer is compiled before it starts; a job of hours is so after a minute.
    void warmUp(Work work) {
        if (work.isPrefill()) {
            prefill();
            prefill();
        } else {
            int streams = Math.min(work.streams(), 64);
            int prompt = 2 * Shape.DECODE_PROMPT;
            int tokens = Math.min(WARM_UP_TOKENS / streams, engine.model().maxPositions() - prompt);
            finish(submit(streams, prompt, tokens));
        }
    }

    @Override
    public double tokensPerSecond(Work work) {
        return work.isPrefill() ? prefill() : decode(work.streams(), work.generated(shape.generated()));
    }

    private double prefill() {
        long started = System.nanoTime();
        finish(submit(PREFILL_ROWS, shape.prompt(), 1));
        return PREFILL_ROWS * shape.prompt() / seconds(System.nanoTime() - started);
    }

    /// Counted from the moment on which every stream has its first token.
    private double decode(int streams, int tokens) {
        requireRoom(streams, tokens);
        long before = engine.stats().completionTokens();
        List<CompletableFuture<GenerationResult>> results = submit(streams, Shape.DECODE_PROMPT, tokens);
        EngineStats begun = engine.stats();
        while (begun.completionTokens() - before < streams || begun.waiting() > 0) {
            LockSupport.parkNanos(POLL_NANOS);
            begun = engine.stats();
        }
        long started = System.nanoTime();
        finish(results);
        long generated = (long) streams * tokens - (begun.completionTokens() - before);
        return generated / seconds(System.nanoTime() - started);
    }

    private void requireRoom(int streams, int tokens) {
        long wanted = streams * engine.cacheBytes(Shape.DECODE_PROMPT + tokens);
        if (wanted > budget) {
            throw new JobException("caches of " + streams + " streams: expected at most " + (budget >> 20)
                    + " MiB, which is three fifths of the heap, got " + (wanted >> 20) + " MiB");
        }
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
