package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ExpertLoad;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one engine of an executor, shared by all its tasks.
///
/// Why static: a model is gigabytes, and its batch is worth running only when the rows of all tasks meet in
/// it. Spark gives a task nothing that outlives it, so what tasks share has to hang on the class. The
/// executor process is the right lifetime: the weights are read-only, and nothing here belongs to a user or
/// a job but the recipe, which is compared.
///
/// 1. At most one engine is open; two recipes that are equal mean the same engine.
/// 2. A task holds a {@link Lease} as long as it uses the engine. Another recipe replaces the engine only
///    while nobody holds a lease, and is refused clearly otherwise.
/// 3. The engine is opened on a thread of its own: Spark may interrupt a task, and an interrupted thread
///    would close the channel the weights are mapped from.
/// 4. A failure to open is remembered and told to every task, so that a broken model is read once and not
///    once per task; a failure that may pass (an unreadable folder) is tried again by the next task.
/// 5. An engine that makes no progress is given up: the next lease opens another, in the place of which no
///    task waits for the first.
/// 6. Where the executor holds cards, its engines compute on them. When they fail, the driver is told
///    before any task fails of it, so that no further task is sent here; after that no lease is given.
/// 7. {@link EnginePlugin} closes it when the executor ends. After that no lease is given.
public final class ExecutorEngine {
    private static final Logger log = LoggerFactory.getLogger(ExecutorEngine.class);
    private static final ExecutorEngine THIS_PROCESS = new ExecutorEngine();

    private volatile FinishedRows rows = new FinishedRows();
    private @Nullable Opened opened;
    /// What engines before the one that is open have counted.
    private EngineStats before = EngineStats.NONE;
    private @Nullable Cards cards;
    /// Held while the driver is told that the cards failed.
    private final Object telling = new Object();
    private volatile @Nullable String cardFailure;

    ExecutorEngine() {}

    /// The engine of this process.
    public static ExecutorEngine ofThisProcess() {
        return THIS_PROCESS;
    }

    /// Has the engines of this process compute on cards, which it gives back when it is closed.
    ///
    /// @param whenFailed told once why the cards failed; returns when no further task is sent here
    synchronized void bind(CardLease lease, Consumer<String> whenFailed) {
        cards = new Cards(lease, whenFailed);
    }

    /// Retires the cards, if there are any.
    private void cardsFailed(ErrorCode code, String reason) {
        synchronized (telling) {
            Cards failed = cards();
            if (failed != null && cardFailure == null) {
                cardFailure = reason;
                failed.lease().retire(code, reason);
                failed.whenFailed().accept(reason);
            }
        }
    }

    private synchronized @Nullable Cards cards() {
        return cards;
    }

    private List<String> addresses() {
        return cards == null ? List.of() : cards.lease().addresses();
    }

    /// Begins to open the engine, so that the first task finds it open or nearly so. Does nothing if
    /// another is open already.
    synchronized void prepare(EngineRecipe recipe) {
        if (opened == null) {
            opened = Opened.of(recipe, addresses());
        }
    }

    /// Opens the engine if need be, waits until it is open, and holds it.
    ///
    /// @throws EngineException if it cannot be opened, or tasks with another recipe hold it
    public Lease lease(EngineRecipe recipe) {
        Opened held = hold(recipe);
        try {
            return new Lease(held, held.engine().join());
        } catch (CompletionException e) {
            release(held);
            // a new exception per task: one object must not be thrown, and changed by Spark, on several
            // threads
            if (e.getCause() instanceof EngineException cause) {
                String message = String.valueOf(cause.getMessage());
                if (cause.code() == ErrorCode.DEVICE_FAILED) {
                    cardsFailed(cause.code(), message);
                }
                throw new EngineException(cause.code(), message, cause);
            }
            throw new EngineException(ErrorCode.INTERNAL, "engine of " + recipe.modelDir() + ": " + e.getCause(), e);
        }
    }

    private synchronized Opened hold(EngineRecipe recipe) {
        if (cardFailure != null) {
            throw new EngineException(
                    ErrorCode.DEVICE_FAILED, "cards " + addresses() + " of this executor failed: " + cardFailure);
        }
        Opened current = opened;
        if (current == null || !current.recipe().equals(recipe) || current.mayBeRetried()) {
            requireIdle(current, recipe);
            closeEngine();
            current = Opened.of(recipe, addresses());
            opened = current;
        }
        current.leases++;
        return current;
    }

    private void requireIdle(@Nullable Opened current, EngineRecipe asked) {
        if (current != null && current.leases > 0 && !current.recipe().equals(asked)) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "executor engine: expected " + current.recipe() + ", which " + current.leases
                            + " tasks of this executor are using, got " + asked);
        }
    }

    private synchronized void release(Opened held) {
        held.leases--;
    }

    private synchronized void giveUp(Opened stuck) {
        if (opened != stuck) {
            return;
        }
        opened = null;
        count(stuck);
        log.warn(
                "Engine of {} makes no progress: given up, the next task opens another",
                stuck.recipe().modelDir());
        // closing waits for the step that does not end; if it ever does, what it holds is freed
        Thread.ofPlatform()
                .name("millrace-engine-given-up")
                .daemon()
                .start(() -> stuck.engine().join().close());
    }

    /// Begins to count: what was done for an earlier Spark context of this process is not this one's.
    synchronized void countAnew() {
        rows = new FinishedRows();
        before = EngineStats.NONE;
    }

    /// Counts a row that a task of this process has finished.
    public void finished(FinishedRow row) {
        rows.add(row);
    }

    /// What this process has done so far.
    synchronized ProgressReport report(String executorId) {
        PromptEngine engine = opened == null ? null : opened.ifOpen();
        return ProgressReport.of(
                executorId,
                engine == null ? null : engine.device(),
                addresses(),
                rows,
                engine == null ? before : engine.stats().after(before),
                engine == null ? ExpertLoad.NONE : engine.expertLoad());
    }

    /// Which experts the tokens went to, since the engine was opened.
    synchronized ExpertLoad expertLoad() {
        PromptEngine engine = opened == null ? null : opened.ifOpen();
        return engine == null ? ExpertLoad.NONE : engine.expertLoad();
    }

    /// Keeps what an engine that goes has counted.
    private void count(Opened gone) {
        PromptEngine engine = gone.ifOpen();
        if (engine != null) {
            EngineStats sums = engine.stats().after(before);
            before = EngineStats.NONE.after(sums);
        }
    }

    /// Closes the engine whatever holds it: unfinished requests fail. Idempotent. What computes on cards
    /// that failed is left as it is, since it may hang; the end of the process frees it.
    public synchronized void close() {
        if (cardFailure != null) {
            return;
        }
        closeEngine();
        if (cards != null) {
            cards.lease().close();
            cards = null;
        }
    }

    private void closeEngine() {
        Opened current = opened;
        opened = null;
        PromptEngine engine = current == null ? null : current.ifOpen();
        if (current != null && engine != null) {
            engine.close();
            count(current);
            log.info("Engine of {} closed", current.recipe().modelDir());
        } else if (current != null) {
            // one that still opens has nobody else to close it
            CompletableFuture<Void> _ = current.engine().thenAccept(PromptEngine::close);
        }
    }

    /// The right to use the engine until closed. Closing twice does nothing.
    public final class Lease implements AutoCloseable {
        private final Opened held;
        private final PromptEngine engine;
        private boolean closed;

        private Lease(Opened held, PromptEngine engine) {
            this.held = held;
            this.engine = engine;
        }

        /// Gives the engine up if it makes no progress, so that no other task waits for it.
        ///
        /// @throws EngineException ENGINE_STALLED if so
        public void throwIfStalled(StallWatch watch) {
            EngineStats stats = engine.stats();
            if (watch.isStalled(stats)) {
                EngineException stalled = watch.stalled(stats);
                giveUp(String.valueOf(stalled.getMessage()));
                throw stalled;
            }
        }

        void giveUp(String reason) {
            cardsFailed(ErrorCode.ENGINE_STALLED, reason);
            ExecutorEngine.this.giveUp(held);
        }

        /// Says with what the engine failed, which may be its device.
        public void failed(ErrorCode code, String reason) {
            if (code == ErrorCode.DEVICE_FAILED) {
                cardsFailed(code, reason);
            }
        }

        public PromptEngine engine() {
            return engine;
        }

        @Override
        public void close() {
            synchronized (ExecutorEngine.this) {
                if (!closed) {
                    closed = true;
                    release(held);
                }
            }
        }
    }

    private record Cards(CardLease lease, Consumer<String> whenFailed) {}

    private static final class Opened {
        private final EngineRecipe recipe;
        private final CompletableFuture<PromptEngine> engine;
        /// Guarded by the enclosing object.
        private int leases;

        private Opened(EngineRecipe recipe, CompletableFuture<PromptEngine> engine) {
            this.recipe = recipe;
            this.engine = engine;
        }

        static Opened of(EngineRecipe recipe, List<String> cards) {
            CompletableFuture<PromptEngine> engine = new CompletableFuture<>();
            Thread.ofPlatform().name("millrace-engine-open").daemon().start(() -> complete(engine, recipe, cards));
            return new Opened(recipe, engine);
        }

        EngineRecipe recipe() {
            return recipe;
        }

        CompletableFuture<PromptEngine> engine() {
            return engine;
        }

        private static void complete(CompletableFuture<PromptEngine> engine, EngineRecipe recipe, List<String> cards) {
            try {
                PromptEngine open = recipe.open(cards);
                log.info("Engine open: {}", open.model());
                engine.complete(open);
            } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
                engine.completeExceptionally(e);
            }
        }

        boolean mayBeRetried() {
            return engine.isCompletedExceptionally()
                    && engine.exceptionNow() instanceof EngineException e
                    && e.code().isRetryable();
        }

        /// Null while it opens, or if that failed.
        @Nullable
        PromptEngine ifOpen() {
            return engine.isDone() && !engine.isCompletedExceptionally() ? engine.join() : null;
        }
    }
}
