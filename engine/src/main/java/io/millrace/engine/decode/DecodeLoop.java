package io.millrace.engine.decode;

import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The running batch: one thread that admits requests, runs steps and completes futures.
///
/// Invariants:
/// 1. The bytes reserved by admitted sequences never exceed the cache budget; a request that would is left
///    waiting, and those behind it wait too, so that none starves.
/// 2. A sequence enters and leaves between any two steps. What it computes does not depend on which others
///    are there: kernels keep one reduction order per output element, and random numbers depend on (seed,
///    position) alone.
/// 3. Every step takes one token of each decoding sequence first and fills what is left of the token budget
///    with prompts, oldest first: decoding never waits for a long prompt, and a prompt is cut wherever the
///    budget ends.
/// 4. Every submitted future completes: with a result, with a failure of its own, or with ENGINE_CLOSED.
public final class DecodeLoop implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DecodeLoop.class.getName());

    private final LanguageModel model;
    private final @Nullable Tokenizer tokenizer;
    private final EngineConfig config;
    private final int maxRunning;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    // guarded by lock
    private final Deque<Sequence> waiting = new ArrayDeque<>();
    private @Nullable String closedBecause;

    // of the batch thread
    private final List<Sequence> running = new ArrayList<>();
    private final float[] row;
    private long reservedBytes;

    // written by the batch thread, read by any
    private volatile EngineStats stats = new EngineStats(0, 0, 0, 0, 0, 0, 0, 0);
    private long promptTokens;
    private long completionTokens;
    private long completed;
    private long failed;
    private long steps;

    public DecodeLoop(LanguageModel model, @Nullable Tokenizer tokenizer, EngineConfig config) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.config = config;
        this.maxRunning = Math.min(config.maxRunning(), config.stepTokens());
        this.row = new float[model.config().vocabSize()];
        this.thread = new Thread(this::run, "millrace-batch");
        this.thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    public EngineStats stats() {
        return stats;
    }

    /// See {@link io.millrace.engine.api.Engine#submit}.
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        long bytes = model.config()
                .cacheBytes(request.prompt().size() + request.sampling().maxTokens());
        Sequence sequence = new Sequence(request, tokenizer, model.config().eosTokenIds(), bytes);
        if (!refuse(sequence, bytes)) {
            enqueue(sequence);
        }
        return sequence.result();
    }

    private boolean refuse(Sequence sequence, long bytes) {
        GenerationRequest request = sequence.request();
        int prompt = request.prompt().size();
        if (prompt == 0) {
            sequence.fail(ErrorCode.INVALID_REQUEST, "prompt: expected at least one token, got none");
            return true;
        }
        for (int i = 0; i < prompt; i++) {
            int token = request.prompt().get(i);
            if (token < 0 || token >= model.config().vocabSize()) {
                sequence.fail(
                        ErrorCode.INVALID_REQUEST,
                        "prompt: expected token ids in [0, " + model.config().vocabSize() + "), got " + token
                                + " at position " + i);
                return true;
            }
        }
        long positions = (long) prompt + request.sampling().maxTokens();
        if (positions > model.config().maxPositionEmbeddings()) {
            sequence.fail(
                    ErrorCode.CONTEXT_EXCEEDED,
                    "prompt of " + prompt + " tokens and maxTokens of "
                            + request.sampling().maxTokens()
                            + ": expected at most " + model.config().maxPositionEmbeddings()
                            + " positions together, got " + positions);
            return true;
        }
        if (bytes > config.cacheBudgetBytes()) {
            sequence.fail(
                    ErrorCode.CACHE_BUDGET_EXCEEDED,
                    "cache for " + positions + " positions: expected at most " + config.cacheBudgetBytes()
                            + " bytes, got " + bytes);
            return true;
        }
        return false;
    }

    private void enqueue(Sequence sequence) {
        lock.lock();
        try {
            if (closedBecause != null) {
                sequence.fail(ErrorCode.ENGINE_CLOSED, closedBecause);
                return;
            }
            waiting.add(sequence);
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (admit()) {
                step();
            }
            abandon("the engine was closed");
        } catch (Error e) {
            // out of memory or a broken class path: no further step can be trusted
            LOG.log(System.Logger.Level.ERROR, "the batch thread died", e);
            abandon("the engine died: " + e);
            throw e;
        }
    }

    /// Moves waiting requests into the batch; waits while there is nothing to do. Returns false when closed.
    private boolean admit() {
        lock.lock();
        try {
            while (closedBecause == null && running.isEmpty() && waiting.isEmpty()) {
                publish();
                work.awaitUninterruptibly();
            }
            while (!waiting.isEmpty()
                    && running.size() < maxRunning
                    && reservedBytes + waiting.peek().cacheBytes() <= config.cacheBudgetBytes()) {
                Sequence sequence = waiting.remove();
                reservedBytes += sequence.cacheBytes();
                sequence.admit(model.newCache());
                running.add(sequence);
            }
            publish();
            return closedBecause == null;
        } finally {
            lock.unlock();
        }
    }

    private void step() {
        Step step = new Step();
        List<Sequence> choosing = new ArrayList<>();
        int[] rows = new int[running.size()];
        int budget = config.stepTokens();
        for (boolean decoding : new boolean[] {true, false}) {
            for (Sequence sequence : running) {
                if (sequence.isDecoding() == decoding && step.rows() < budget) {
                    int before = step.rows();
                    int chosen = sequence.addTo(step, budget - before);
                    promptTokens += decoding ? 0 : step.rows() - before;
                    if (chosen >= 0) {
                        rows[choosing.size()] = chosen;
                        choosing.add(sequence);
                    }
                }
            }
        }
        try {
            forward(step, choosing, java.util.Arrays.copyOf(rows, choosing.size()));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a step failed", e);
            failAll(ErrorCode.INTERNAL, "step of " + step.rows() + " tokens failed: " + e);
        }
        steps++;
    }

    private void forward(Step step, List<Sequence> choosing, int[] rows) {
        Floats streams = model.forward(step);
        if (rows.length == 0) {
            return;
        }
        Floats logits = model.logits(streams, rows);
        double[] logSumExp = model.logSumExp(logits, rows.length);
        List<Sequence> ended = new ArrayList<>();
        for (int i = 0; i < rows.length; i++) {
            model.read(logits, i * row.length, row, row.length);
            completionTokens++;
            if (choosing.get(i).accept(row, logSumExp[i])) {
                ended.add(choosing.get(i));
                leave(choosing.get(i));
            }
        }
        completed += ended.size();
        // who waits for a result finds it counted
        publish();
        ended.forEach(Sequence::complete);
    }

    private void leave(Sequence sequence) {
        running.remove(sequence);
        reservedBytes -= sequence.cacheBytes();
    }

    private void failAll(ErrorCode code, String message) {
        for (Sequence sequence : List.copyOf(running)) {
            sequence.fail(code, message);
            failed++;
            leave(sequence);
        }
    }

    private void abandon(String reason) {
        failAll(ErrorCode.ENGINE_CLOSED, reason);
        lock.lock();
        try {
            closedBecause = reason;
            for (Sequence sequence : waiting) {
                sequence.fail(ErrorCode.ENGINE_CLOSED, reason);
                failed++;
            }
            waiting.clear();
            publish();
        } finally {
            lock.unlock();
        }
    }

    private void publish() {
        lock.lock();
        try {
            stats = new EngineStats(
                    promptTokens,
                    completionTokens,
                    completed,
                    failed,
                    steps,
                    running.size(),
                    waiting.size(),
                    reservedBytes);
        } finally {
            lock.unlock();
        }
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
