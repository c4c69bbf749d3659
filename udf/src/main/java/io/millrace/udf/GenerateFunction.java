package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ErrorKind;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The whole bridge from Spark to the engine: rows of a partition become requests, results become rows, in
/// input order.
///
/// A task thread computes nothing: it encodes prompts, keeps a bounded window of requests under way, and
/// waits. The windows of all tasks of an executor meet in its one running batch. Every input row yields
/// `samples` output rows, whatever happens to it; only a device that fails makes the task fail, so that
/// Spark can run it elsewhere.
public final class GenerateFunction implements MapPartitionsFunction<Row, Row>, RowFunction {
    private static final long serialVersionUID = 1L;
    private static final Logger log = LoggerFactory.getLogger(GenerateFunction.class);

    /// How often a row is tried whose failure may pass.
    private static final int MAX_ATTEMPTS = 2;

    private final GenerateRecipe recipe;
    private final Duration patience;

    /// @param patience how long the engine may go without a step while a row waits for it
    public GenerateFunction(GenerateRecipe recipe, Duration patience) {
        this.recipe = recipe;
        this.patience = patience;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        return call(rows, _ -> recipe);
    }

    /// As {@link #call(Iterator)}, but yields only what is wanted, and each row as it is wanted.
    ///
    /// @param rows rows of which at least one sample is wanted
    /// @param wanted how a row is computed; null if it is not wanted
    @Override
    public Iterator<Row> call(Iterator<Row> rows, Function<RowIdentity, @Nullable GenerateRecipe> wanted) {
        return rows.hasNext() ? new Completions(rows, wanted).untilTaskEnds() : rows;
    }

    private final class Completions extends RowWindow<Pending> {
        private final Map<GenerateRecipe, Rows> makers = new HashMap<>();

        Completions(Iterator<Row> input, Function<RowIdentity, @Nullable GenerateRecipe> wanted) {
            super(recipe, input, wanted);
        }

        @Override
        protected boolean hasRoom(Collection<Pending> underWay) {
            return underWay.size() < recipe.window();
        }

        @Override
        protected Pending begin(Row row, int sample, GenerateRecipe how) {
            return submit(row, sample, makers.computeIfAbsent(how, this::rows));
        }

        @Override
        protected void await(Pending first) {
            // all that has room is under way
        }

        private Rows rows(GenerateRecipe how) {
            return new Rows(new PromptRows(how, engine), new CompletionRows(how, engine));
        }

        private Pending submit(Row row, int sample, Rows rows) {
            return switch (rows.prompts().prompt(row, sample)) {
                case PromptRows.Prompt.Refused refused ->
                    new Known(rows.completions(), rows.completions().refused(refused));
                case PromptRows.Prompt.Skipped skipped ->
                    new Known(rows.completions(), rows.completions().skipped(skipped));
                case PromptRows.Prompt.Scored scored ->
                    new Scoring(
                            rows.completions(),
                            scored,
                            scored.requests().stream().map(engine::score).toList());
                case PromptRows.Prompt.Ready ready ->
                    new Submitted(rows.completions(), ready, engine.submit(ready.request()));
            };
        }

        @Override
        protected Row finish(Pending pending) {
            return switch (pending) {
                case Known known -> known.row();
                case Submitted submitted -> finish(submitted);
                case Scoring scoring -> finish(scoring);
            };
        }

        private Row finish(Submitted submitted) {
            PromptRows.Prompt.Ready ready = submitted.prompt();
            GenerationResult result = answer(submitted.future());
            int attempts = attempts(result);
            while (result instanceof GenerationResult.Failed failed
                    && failed.code().isRetryable()
                    && attempts < MAX_ATTEMPTS) {
                result = answer(engine.submit(ready.request()));
                attempts += attempts(result);
            }
            return switch (result) {
                case GenerationResult.Completed completed -> completed(submitted, completed, attempts);
                case GenerationResult.Failed failed -> submitted.rows().failed(ready, failed, attempts);
            };
        }

        private Row finish(Scoring scoring) {
            List<ScoringResult.Scored> scores = new ArrayList<>();
            for (int index = 0; index < scoring.futures().size(); index++) {
                ScoringRequest request = scoring.prompt().requests().get(index);
                ScoringResult result = answer(scoring.futures().get(index));
                int attempts = 1;
                while (result instanceof GenerationResult.Failed failed
                        && failed.code().isRetryable()
                        && attempts < MAX_ATTEMPTS) {
                    result = answer(engine.score(request));
                    attempts++;
                }
                switch (result) {
                    case ScoringResult.Scored scored -> scores.add(scored);
                    case GenerationResult.Failed failed -> {
                        return scoring.rows().failed(scoring.prompt(), failed, attempts);
                    }
                }
            }
            return scoring.rows().scored(scoring.prompt(), scores);
        }

        private static int attempts(GenerationResult result) {
            return result instanceof GenerationResult.Failed failed ? failed.attempts() : 1;
        }

        private Row completed(Submitted submitted, GenerationResult.Completed completed, int attempts) {
            PromptRows.Prompt.Ready ready = submitted.prompt();
            try {
                return submitted.rows().completed(ready, completed);
            } catch (RuntimeException e) {
                // a fault of ours that one answer brings out must not take the other rows along
                log.error("{}: no row of its answer", ready.source().identity(), e);
                return submitted
                        .rows()
                        .failed(
                                ready,
                                new GenerationResult.Failed(completed.requestId(), ErrorCode.INTERNAL, e.toString()),
                                attempts);
            }
        }

        /// What the engine answers; a device that fails makes the task fail, after it was told of.
        private <R> R answer(CompletableFuture<R> future) {
            R result = await(future);
            if (result instanceof GenerationResult.Failed failed
                    && failed.code().kind() == ErrorKind.DEVICE) {
                lease.failed(failed.code(), failed.message());
                throw new EngineException(failed.code(), failed.message());
            }
            return result;
        }

        private <R> R await(CompletableFuture<R> future) {
            StallWatch watch = new StallWatch(patience);
            while (true) {
                try {
                    return future.get(KILL_CHECK_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException _) {
                    scope.throwIfKilled();
                    lease.throwIfStalled(watch);
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                    throw new TaskKilledException("interrupted while waiting for the engine");
                } catch (ExecutionException e) {
                    throw new EngineException(ErrorCode.INTERNAL, "engine: " + e.getCause(), e);
                }
            }
        }
    }

    /// What makes requests of rows and rows of results, by one recipe.
    private record Rows(PromptRows prompts, CompletionRows completions) {}

    private sealed interface Pending extends RowWindow.UnderWay {}

    /// A row that the engine is not asked for.
    private record Known(CompletionRows rows, Row row) implements Pending {
        @Override
        public void cancel() {
            // nothing is under way
        }
    }

    private record Submitted(
            CompletionRows rows, PromptRows.Prompt.Ready prompt, CompletableFuture<GenerationResult> future)
            implements Pending {
        @Override
        public void cancel() {
            future.cancel(true);
        }
    }

    private record Scoring(
            CompletionRows rows, PromptRows.Prompt.Scored prompt, List<CompletableFuture<ScoringResult>> futures)
            implements Pending {
        @Override
        public void cancel() {
            futures.forEach(future -> future.cancel(true));
        }
    }
}
