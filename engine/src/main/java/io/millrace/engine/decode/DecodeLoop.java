package io.millrace.engine.decode;

import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.api.TokenListener;
import io.millrace.engine.json.AnswerForms;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One thread that takes requests into the running batch, runs its steps and completes futures. Every
/// submitted future completes: with a result, with a failure of its own, or with ENGINE_CLOSED.
public final class DecodeLoop implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DecodeLoop.class.getName());

    private final LanguageModelConfig model;
    private final @Nullable Tokenizer tokenizer;
    private final @Nullable AnswerForms forms;
    private final long cacheBudgetBytes;
    private final int maxRunning;
    private final Batch batch;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    // guarded by lock
    private final List<Sequence> arrived = new ArrayList<>();
    private @Nullable String closedBecause;

    // written by the batch thread, read by any
    private volatile EngineStats stats;

    public DecodeLoop(LanguageModel model, @Nullable Tokenizer tokenizer, EngineConfig config) {
        this.model = model.config();
        this.tokenizer = tokenizer;
        this.forms = tokenizer == null
                ? null
                : new AnswerForms(tokenizer, model.config().eosTokenIds());
        this.cacheBudgetBytes = config.cacheBudgetBytes();
        this.maxRunning = Math.min(config.maxRunning(), config.stepTokens());
        this.batch = new Batch(model, config);
        this.stats = batch.stats();
        this.thread = new Thread(this::run, "millrace-batch");
        this.thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    public EngineStats stats() {
        return stats;
    }

    /// See {@link io.millrace.engine.api.Engine#expertLoad}.
    public ExpertLoad expertLoad() {
        return batch.expertLoad();
    }

    /// See {@link io.millrace.engine.api.Engine#submit}.
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        return submit(request, null);
    }

    /// As {@link #submit(GenerationRequest)}, and tells the tokens as they are chosen; beam search has
    /// none to tell.
    public CompletableFuture<GenerationResult> submit(GenerationRequest request, @Nullable TokenListener listener) {
        CompletableFuture<GenerationResult> result = new CompletableFuture<>();
        int maxTokens = request.sampling().maxTokens();
        int beams = request.sampling().beams();
        long bytes = beams * model.cacheBytes(request.prompt().size() + maxTokens);
        long now = System.nanoTime();
        Sequence sequence;
        try {
            sequence = beams > 1
                    ? new BeamSearch(request, result, tokenizer, model.eosTokenIds(), bytes, now)
                    : new Generation(request, result, tokenizer, model.eosTokenIds(), forms, listener, bytes, now);
        } catch (EngineException e) {
            result.complete(new GenerationResult.Failed(request.id(), e.code(), String.valueOf(e.getMessage())));
            return result;
        }
        if (beams > maxRunning) {
            sequence.fail(
                    ErrorCode.INVALID_REQUEST,
                    "sampling.beams: expected at most the " + maxRunning + " sequences of a batch, got " + beams);
        } else if (areIds(sequence, "prompt", request.prompt())
                && fits(sequence, request.prompt().size(), "maxTokens of ", maxTokens)) {
            enqueue(sequence);
        }
        return result;
    }

    /// See {@link io.millrace.engine.api.Engine#score}.
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        CompletableFuture<ScoringResult> result = new CompletableFuture<>();
        int length = request.prompt().size() + request.continuation().size();
        Sequence sequence = new Scoring(request, result, tokenizer, model.cacheBytes(length), System.nanoTime());
        if (areIds(sequence, "prompt", request.prompt())
                && areIds(sequence, "continuation", request.continuation())
                && fits(
                        sequence,
                        request.prompt().size(),
                        "continuation of ",
                        request.continuation().size())) {
            enqueue(sequence);
        }
        return result;
    }

    private boolean areIds(Sequence sequence, String name, TokenIds ids) {
        if (ids.isEmpty()) {
            sequence.fail(ErrorCode.INVALID_REQUEST, name + ": expected at least one token, got none");
            return false;
        }
        for (int i = 0; i < ids.size(); i++) {
            if (ids.get(i) < 0 || ids.get(i) >= model.vocabSize()) {
                sequence.fail(
                        ErrorCode.INVALID_REQUEST,
                        name + ": expected token ids in [0, " + model.vocabSize() + "), got " + ids.get(i)
                                + " at position " + i);
                return false;
            }
        }
        return true;
    }

    private boolean fits(Sequence sequence, int prompt, String rest, int more) {
        long positions = (long) prompt + more;
        if (positions > model.maxPositionEmbeddings()) {
            sequence.fail(
                    ErrorCode.CONTEXT_EXCEEDED,
                    "prompt of " + prompt + " tokens and " + rest + more + ": expected at most "
                            + model.maxPositionEmbeddings() + " positions together, got " + positions);
            return false;
        }
        if (sequence.cacheBytes() > cacheBudgetBytes) {
            sequence.fail(
                    ErrorCode.CACHE_BUDGET_EXCEEDED,
                    "cache for " + positions + " positions: expected at most " + cacheBudgetBytes + " bytes, got "
                            + sequence.cacheBytes());
            return false;
        }
        return true;
    }

    private void enqueue(Sequence sequence) {
        lock.lock();
        try {
            if (closedBecause != null) {
                sequence.fail(ErrorCode.ENGINE_CLOSED, closedBecause);
                return;
            }
            arrived.add(sequence);
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (takeArrived()) {
                List<Runnable> results = batch.step();
                // who waits for a result finds it counted
                stats = batch.stats();
                results.forEach(Runnable::run);
            }
            abandon("the engine was closed");
        } catch (Error e) {
            // out of memory or a broken class path: no further step can be trusted
            LOG.log(System.Logger.Level.ERROR, "the batch thread died", e);
            abandon("the engine died: " + e);
            throw e;
        }
    }

    /// Moves arrived requests into the batch; waits while there is nothing to do. Returns false when
    /// closed.
    private boolean takeArrived() {
        lock.lock();
        try {
            while (closedBecause == null && batch.isIdle() && arrived.isEmpty()) {
                work.awaitUninterruptibly();
            }
            arrived.forEach(batch::add);
            arrived.clear();
            stats = batch.stats();
            return closedBecause == null;
        } finally {
            lock.unlock();
        }
    }

    private void abandon(String reason) {
        lock.lock();
        try {
            closedBecause = reason;
            arrived.forEach(batch::add);
            arrived.clear();
        } finally {
            lock.unlock();
        }
        batch.abandon(reason);
        stats = batch.stats();
    }

    /// Stops after the step under way. Idempotent.
    @Override
    public void close() {
        lock.lock();
        try {
            if (closedBecause == null) {
                closedBecause = "the engine was closed";
            }
            work.signal();
        } finally {
            lock.unlock();
        }
        joinUninterruptibly();
    }

    /// The weights are unmapped after this: the batch thread must be gone, interrupt or not.
    private void joinUninterruptibly() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
