package io.millrace.udf.agent;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.udf.CompletionRows;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.InputColumns;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.PromptRows;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.Reading;
import io.millrace.udf.RowFault;
import io.millrace.udf.RowFunction;
import io.millrace.udf.RowIdentity;
import io.millrace.udf.RowWindow;
import io.millrace.udf.StallWatch;
import io.millrace.udf.Thinking;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The bridge from Spark to rollouts: rows of a partition become conversations, their ends become rows,
/// in input order.
///
/// Each rollout has a virtual thread, which waits now for the engine and now for a command. Whatever is
/// not waiting for a command decodes in the engine's one running batch; commands of all tasks of the
/// executor share its {@link CommandSlots}. A window bounds how many are under way in a task; ended
/// ones that wait for an earlier row do not count.
public final class RolloutFunction implements RowFunction {
    private static final Logger log = LoggerFactory.getLogger(RolloutFunction.class);
    /// Ended rollouts that may wait to be yielded, as a multiple of the window.
    private static final int LEAD = 16;
    /// Digits of the request id in a directory's name.
    private static final int NAME_DIGITS = 16;

    private static final Reading ENDED = new Reading(false, Thinking.CHAT, "", null);

    private final GenerateRecipe generate;
    private final RolloutRecipe recipe;
    private final Duration patience;
    private final Configuration conf;

    /// @param patience how long the engine may go without a step while a rollout waits for it
    public RolloutFunction(GenerateRecipe generate, RolloutRecipe recipe, Duration patience, Configuration conf) {
        this.generate = generate;
        this.recipe = recipe;
        this.patience = patience;
        this.conf = conf;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> rows, Function<RowIdentity, @Nullable GenerateRecipe> wanted) {
        if (!rows.hasNext()) {
            return rows;
        }
        try {
            Workspace.sweep(Path.of(recipe.workDir()));
        } catch (IOException e) {
            throw new UncheckedIOException("rollout.work-dir " + recipe.workDir(), e);
        }
        return new Rollouts(rows, wanted).untilTaskEnds();
    }

    private final class Rollouts extends RowWindow<Pending> {
        private final StallWatch watch = new StallWatch(patience);
        private final AtomicInteger waiting = new AtomicInteger();
        private final Semaphore commands = CommandSlots.of(recipe.commands());
        private final Semaphore ended = new Semaphore(0);

        Rollouts(Iterator<Row> input, Function<RowIdentity, @Nullable GenerateRecipe> wanted) {
            super(generate, input, wanted);
        }

        @Override
        protected boolean hasRoom(Collection<Pending> underWay) {
            return underWay.size() < LEAD * recipe.window()
                    && underWay.stream()
                                    .filter(pending -> !pending.future().isDone())
                                    .count()
                            < recipe.window();
        }

        @Override
        protected void await(Pending first) {
            while (!first.future().isDone()) {
                awaitAnEnd();
                fill();
            }
        }

        private void awaitAnEnd() {
            try {
                if (ended.tryAcquire(KILL_CHECK_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                throw new TaskKilledException("interrupted while rollouts were under way");
            }
            scope.throwIfKilled();
            // while nothing waits for it, an engine need not make a step
            if (waiting.get() > 0) {
                lease.throwIfStalled(watch);
            }
        }

        @Override
        protected Pending begin(Row row, int sample, GenerateRecipe how) {
            PromptRows prompts = new PromptRows(how, engine);
            CompletionRows rows = new CompletionRows(how, engine);
            return switch (prompts.prompt(row, sample)) {
                case PromptRows.Prompt.Refused refused -> Pending.known(rows, rows.refused(refused));
                case PromptRows.Prompt.Skipped skipped -> Pending.known(rows, rows.skipped(skipped));
                case PromptRows.Prompt.Scored scored ->
                    Pending.known(
                            rows,
                            rows.refused(refusal(
                                    scored.source(),
                                    RowFault.CONTINUATIONS_INVALID.name(),
                                    "continuations: a rollout has none")));
                case PromptRows.Prompt.Ready ready -> begin(row, ready, how, rows);
            };
        }

        private Pending begin(Row row, PromptRows.Prompt.Ready ready, GenerateRecipe how, CompletionRows rows) {
            Rollout.Task task;
            try {
                task = task(row, ready, how);
            } catch (RolloutException e) {
                return Pending.known(rows, rows.refused(refusal(ready.source(), e.code(), e.getMessage())));
            }
            CompletableFuture<Conversation> future = new CompletableFuture<>();
            Policy policy = engine instanceof ScriptedEngine scripted
                    ? scripted.script().policy()
                    : new EnginePolicy(
                            engine, how.prompt().thinking(), ready.request().sampling(), waiting);
            Thread thread = Thread.ofVirtual()
                    .name("millrace-rollout-" + task.name())
                    .start(() -> run(task, policy, logDir(ready, how), future));
            return new Pending(rows, null, ready, future, thread);
        }

        private void run(
                Rollout.Task task,
                Policy policy,
                org.apache.hadoop.fs.Path logDir,
                CompletableFuture<Conversation> future) {
            try (Rollout rollout = new Rollout(recipe, task, policy, RolloutLog.open(logDir, conf), commands)) {
                future.complete(rollout.run());
            } catch (IOException | InterruptedException | RuntimeException | Error e) {
                future.completeExceptionally(e);
            } finally {
                ended.release();
            }
        }

        private org.apache.hadoop.fs.Path logDir(PromptRows.Prompt.Ready ready, GenerateRecipe how) {
            return RolloutLogs.directory(recipe.logDir(), ready.request().id(), how.retry());
        }

        private Rollout.Task task(Row row, PromptRows.Prompt.Ready ready, GenerateRecipe how) {
            PromptRecipe prompt = how.prompt();
            String text = row.getAs(InputColumns.TEXT);
            RowIdentity identity = ready.source().identity();
            LogRecord.Start start = new LogRecord.Start(
                    ready.request().id(),
                    ready.source().customId(),
                    identity.sampleIdx(),
                    prompt.system(),
                    rendered(prompt.template(), text, row, Function.identity()),
                    recipe.form(),
                    TrajectoryConfig.of(how, recipe, engine.model().name()));
            return new Rollout.Task(
                    start,
                    ready.request().id().substring(0, NAME_DIGITS),
                    rendered(recipe.repository(), text, row, RolloutFunction::fileName),
                    rendered(recipe.commit(), text, row, Function.identity()));
        }

        @Override
        protected Row finish(Pending pending) {
            Row known = pending.row();
            PromptRows.Prompt.Ready ready = pending.prompt();
            if (known != null || ready == null) {
                return Objects.requireNonNull(known, "a row that is not under way is known");
            }
            try {
                return pending.rows()
                        .completed(
                                ended(ready),
                                completed(ready.request().id(), pending.future().join()));
            } catch (CompletionException e) {
                return failed(pending.rows(), ready, e.getCause());
            }
        }

        /// A rollout that could not go on is an error row; what would keep others from going on too
        /// makes the task fail, so that Spark runs it elsewhere, from where the logs end.
        private Row failed(CompletionRows rows, PromptRows.Prompt.Ready ready, @Nullable Throwable cause) {
            switch (cause) {
                case RolloutException e -> {
                    log.warn("{}: {}", ready.source().identity(), e.getMessage(), e);
                    return rows.refused(new PromptRows.Prompt.Refused(
                            ready.source(), "ENVIRONMENT", e.code(), String.valueOf(e.getMessage()), e.isRetryable()));
                }
                case EngineException e -> {
                    lease.failed(e.code(), String.valueOf(e.getMessage()));
                    throw new EngineException(e.code(), String.valueOf(e.getMessage()), e);
                }
                case IOException e ->
                    throw new UncheckedIOException(ready.source().identity() + ": " + e, e);
                case RuntimeException e -> {
                    // a fault of ours that one conversation brings out must not take the others along
                    log.error("{}: no end of its rollout", ready.source().identity(), e);
                    return rows.failed(
                            ready,
                            new GenerationResult.Failed(ready.request().id(), ErrorCode.INTERNAL, e.toString()),
                            1);
                }
                case null, default -> throw new EngineException(ErrorCode.INTERNAL, "rollout: " + cause, cause);
            }
        }
    }

    /// The text of its end is no answer of a model, in which reasoning or calls could be; those are in
    /// the log.
    private static PromptRows.Prompt.Ready ended(PromptRows.Prompt.Ready ready) {
        PromptRequest request = ready.request();
        return new PromptRows.Prompt.Ready(
                ready.source(), new PromptRequest(request.id(), request.prompt(), request.sampling(), ENDED));
    }

    private static GenerationResult.Completed completed(String id, Conversation conversation) {
        LogRecord.End end = conversation.end();
        if (end == null) {
            throw new IllegalStateException("a rollout that ran has an end");
        }
        Turn.Usage usage = conversation.usage();
        return new GenerationResult.Completed(
                id,
                TokenIds.EMPTY,
                end.submission(),
                ExitStatus.finishReason(end.exitStatus()),
                Double.NaN,
                new GenerationResult.Usage(usage.promptTokens(), usage.cachedTokens(), usage.completionTokens()),
                new GenerationResult.Timing(0, 0, conversation.elapsedMillis()));
    }

    private static PromptRows.Prompt.Refused refusal(PromptRows.Source source, String code, @Nullable String message) {
        return new PromptRows.Prompt.Refused(source, "BAD_INPUT", code, String.valueOf(message), false);
    }

    private static String rendered(String template, @Nullable String text, Row row, Function<String, String> value) {
        return PromptTemplate.parse(template).render(value.apply(String.valueOf(text)), column -> {
            String found = row.getAs(column);
            if (found == null) {
                throw new RolloutException(
                        RowFault.COLUMN_NULL.name(), "column " + column + ": expected a value, got null");
            }
            return value.apply(found);
        });
    }

    /// `owner/name` as a file's name.
    private static String fileName(String value) {
        return value.replace("/", "__");
    }

    /// A row that is known, or under way.
    private record Pending(
            CompletionRows rows,
            @Nullable Row row,
            PromptRows.Prompt.@Nullable Ready prompt,
            CompletableFuture<Conversation> future,
            @Nullable Thread thread)
            implements RowWindow.UnderWay {

        static Pending known(CompletionRows rows, Row row) {
            CompletableFuture<Conversation> none = new CompletableFuture<>();
            none.cancel(false);
            return new Pending(rows, row, null, none, null);
        }

        @Override
        public void cancel() {
            if (thread != null) {
                thread.interrupt();
            }
        }
    }
}
