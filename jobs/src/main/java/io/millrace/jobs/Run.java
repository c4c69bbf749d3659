package io.millrace.jobs;

import io.millrace.jobs.RunFingerprint.Difference;
import io.millrace.jobs.RunRequest.IfDifferent;
import io.millrace.udf.CardRoster;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.EngineQuestion;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ExecutorSetup;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.ParityQuestion;
import io.millrace.udf.RetryPlan;
import io.millrace.udf.shard.ShardFunction;
import io.millrace.udf.shard.ShardFunction.Work;
import io.millrace.udf.shard.ShardRecipe;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/// A run in its output directory, from where it was left.
final class Run {
    private static final int TASKS_PER_SLOT = 4;
    private static final int SHARDS_PER_TASK = 64;

    private final CompletionSink sink;
    private final InputPlan plan;
    private final ShardRecipe recipe;
    private final RunManifest manifest;
    private final RunLedger before;
    private final CardStage stage;
    private final RunMetrics metrics;
    /// For executors without cards, where they compute too.
    private final @Nullable ShardRecipe beside;

    private Run(
            CompletionSink sink,
            InputPlan plan,
            ShardRecipe recipe,
            RunManifest manifest,
            RunLedger before,
            CardStage stage,
            @Nullable ShardRecipe beside) {
        this.sink = sink;
        this.plan = plan;
        this.recipe = recipe;
        this.manifest = manifest;
        this.before = before;
        this.stage = stage;
        metrics = new RunMetrics(sink, manifest.startNumber());
        this.beside = beside;
    }

    /// Plans, looks what of it is done, and takes the directory.
    ///
    /// @param languagesAsked whether the gate's rules ask for the languages of the rows' texts
    /// @throws JobException if the directory holds another run and nothing was said of what becomes of it
    static Run open(JavaSparkContext spark, JobConfig config, RunRequest request, boolean languagesAsked) {
        CompletionSink sink = CompletionSink.open(config.outputDir(), spark.hadoopConfiguration());
        EarlierRun earlier = EarlierRun.read(sink);
        // the engine opens while the input is planned
        CardStage stage = CardStage.of(config);
        JavaFutureAction<List<String>> question = stage.onCards(spark.parallelize(List.of(""), 1))
                .map(new EngineQuestion(config.engine()))
                .collectAsync();
        InputPlanner planner = new InputPlanner(
                spark, config.input(), config.prompt().withTemplate(config.templates()), config.shardRows());
        InputPlan plan = planner.plan(earlier == null ? null : earlier.plan());
        EngineIdentity engine = EngineIdentity.ofJson(answer(question));
        Parity parity = config.cards().beside() == null ? null : parity(spark, stage, config);
        EarlierRun goesOn = request.ifDifferent() == IfDifferent.NEW_RUN ? null : earlier;
        // a run that goes on does so as it began, whatever its gate asks for today
        boolean languages = config.gate()
                .languages()
                .areTold(goesOn == null ? languagesAsked : goesOn.fingerprint().tellsLanguages());
        RunFingerprint fingerprint =
                RunFingerprint.of(config, plan, engine, parity).withLanguages(languages);

        RunLedger ledger = RunLedger.read(sink, plan, fingerprint.sha256());
        if (request.ifDifferent() == IfDifferent.NEW_RUN && (earlier != null || ledger.strays() > 0)) {
            sink.setAside(earlier == null ? "without-manifest" : earlier.runId());
            earlier = null;
            ledger = RunLedger.read(sink, plan, fingerprint.sha256());
        }
        if (request.ifDifferent() == IfDifferent.REFUSE) {
            requireSame(sink, earlier, plan, fingerprint, ledger);
        }
        sink.prepare();
        ledger.deleteStrays();

        String runId = earlier == null ? UUID.randomUUID().toString() : earlier.runId();
        GenerateRecipe generate = new GenerateRecipe(
                        config.engine(),
                        config.prompt(),
                        config.sampling(),
                        runId,
                        fingerprint.sha256(),
                        Builds.version())
                .withLanguages(languages);
        ShardRecipe recipe = new ShardRecipe(
                generate, planner.recipe(plan), sink.output(), engine, config.stallSeconds(), config.rollout());
        RunManifest manifest = RunManifest.of(earlier == null ? null : earlier.manifest(), runId, request.command())
                .planned(config, plan, fingerprint, engine);
        EngineRecipe other = CardStage.setup(config).beside();
        ShardRecipe beside = parity == null || other == null ? null : recipe.withEngine(other, parity.identity());
        if (parity != null) {
            manifest.beside(parity);
        }
        Run run = new Run(sink, plan, recipe, manifest, ledger, stage, beside);
        sink.writePlan(plan);
        sink.writeAside("config.yaml", ConfigFile.yaml(config));
        run.record("running");
        return run;
    }

    /// Has both kinds of engines say what they make of the same texts.
    private static Parity parity(JavaSparkContext spark, CardStage stage, JobConfig config) {
        ExecutorSetup setup = CardStage.setup(config);
        EngineRecipe other = Objects.requireNonNull(setup.beside(), "asked for where there is one only");
        JavaFutureAction<List<String>> cards = stage.onCards(spark.parallelize(List.of(""), 1))
                .map(new ParityQuestion(setup.engine()))
                .collectAsync();
        JavaFutureAction<List<String>> beside =
                spark.parallelize(List.of(""), 1).map(new ParityQuestion(other)).collectAsync();
        return Parity.of(
                ParityQuestion.Answer.ofJson(answer(cards)),
                ParityQuestion.Answer.ofJson(answer(beside)),
                config.cards().tolerance());
    }

    private static String answer(JavaFutureAction<List<String>> question) {
        try {
            return question.get().getFirst();
        } catch (ExecutionException e) {
            requireCards(e);
            List<String> known = Causes.messages(e);
            throw new JobException(known.isEmpty() ? "engine: expected to open, got " + e : known.getLast(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("engine: interrupted while it opened", e);
        }
    }

    private static void requireSame(
            CompletionSink sink,
            @Nullable EarlierRun earlier,
            InputPlan plan,
            RunFingerprint fingerprint,
            RunLedger ledger) {
        List<Difference> differences = earlier == null ? List.of() : earlier.differences(plan, fingerprint);
        if (differences.isEmpty() && ledger.strays() > 0) {
            differences = List.of(new Difference(
                    "files", "of this run", ledger.strays() + " of another, such as " + ledger.someStrays()));
        }
        if (differences.isEmpty()) {
            return;
        }
        StringBuilder message = new StringBuilder(
                "output " + sink.location() + ": expected to go on with the run that is there, got another run:");
        for (Difference difference : differences) {
            message.append("\n  ").append(difference.field());
            message.append("\n    was ").append(difference.was());
            message.append("\n    now ").append(difference.now());
        }
        throw new JobException(message + "\nchoose another --output, or --new-run (sets the run that is there aside and"
                + " begins a new one), or --redo (does again what differs, in its place)");
    }

    /// Computes the shards that are not committed, each once.
    ///
    /// @throws JobException if there is no card left to compute on
    void compute(JavaSparkContext spark) {
        List<String> shards = before.pending();
        if (beside == null || shards.isEmpty()) {
            work(spark, new Work.Compute(), shards);
        } else {
            // a task each, so that the two kinds meet within a shard
            new BothEnds(spark)
                    .await(
                            stage.onCards(spark.parallelize(shards, shards.size()))
                                    .foreachPartitionAsync(
                                            new ShardFunction(new Work.Compute(), recipe, hadoop(spark))),
                            spark.parallelize(shards.reversed(), shards.size())
                                    .foreachPartitionAsync(
                                            new ShardFunction(new Work.Compute(), beside, hadoop(spark))));
        }
    }

    /// Computes again the rows that failed in an earlier start, and no others.
    void retryErrors(JavaSparkContext spark) {
        List<String> withErrors = new ArrayList<>();
        new ShardSummaries(spark, sink, fingerprint()).forEach(plan, before::isCommitted, (shard, rows) -> {
            if (!rows.errors().isEmpty()) {
                withErrors.add(shard.toJson());
            }
        });
        work(spark, new Work.RetryErrors(), withErrors);
    }

    /// What the gate has set aside.
    Quarantine quarantine(JavaSparkContext spark, RetryPlan plan) {
        return Quarantine.read(sink, plan, recipe().sampling(), spark.hadoopConfiguration());
    }

    /// Whether an earlier start ended in the middle of {@link #retryQuarantined}, so that what the gate set
    /// aside then is still to be worked through.
    boolean isRetrying() {
        return manifest.isRetrying();
    }

    /// Computes again the rows that are due, and no others. Until {@link #complete} the manifest does
    /// not say what the rows are.
    void retryQuarantined(JavaSparkContext spark, RetryPlan retries, Quarantine quarantine) {
        sink.prepare();
        manifest.retrying(retries, quarantine);
        record("running");
        List<String> shards = new ArrayList<>();
        plan.forEachShard(shard -> {
            if (quarantine.files().contains(shard.outputName(fingerprint()))) {
                shards.add(shard.toJson());
            }
        });
        work(spark, new Work.RetryQuarantined(retries), shards);
        manifest.retried();
    }

    private void work(JavaSparkContext spark, Work work, List<String> shards) {
        if (!shards.isEmpty()) {
            try {
                stage.onCards(spark.parallelize(shards, tasks(shards.size(), spark.defaultParallelism())))
                        .foreachPartition(new ShardFunction(work, recipe, hadoop(spark)));
            } catch (Exception e) {
                requireCards(e);
                throw e;
            }
        }
    }

    /// Of a job that was ended for want of cards, Spark says only that it was ended.
    private static void requireCards(Exception failure) {
        List<String> troubles = CardRoster.troubles();
        if (!troubles.isEmpty() && CardRoster.held().isEmpty()) {
            throw new JobException("no cards left: " + String.join("; ", troubles), failure);
        }
    }

    /// A task does several shards in turn, so that its requests fill the running batch from shard to shard.
    /// Enough tasks that they end at about the same time, and that none is lost with much: of small work
    /// one for each slot.
    private int tasks(int shards, int slots) {
        long rows = (long) shards * plan.shardRows() * samples();
        long filling = rows / (2L * recipe.generate().engine().maxRunning());
        long tasks = Math.max(Math.clamp(filling, slots, (long) slots * TASKS_PER_SLOT), shards / SHARDS_PER_TASK);
        return (int) Math.min(shards, tasks);
    }

    private static Broadcast<SerializableConfiguration> hadoop(JavaSparkContext spark) {
        return spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
    }

    /// What the gate set aside is about to be replaced: a retry of it that did not end cannot go on.
    void abandonRetry() {
        if (manifest.isRetrying()) {
            manifest.abandonRetry();
            record("committed");
        }
    }

    /// Adds up what is there, and says that the run is complete.
    ///
    /// @throws JobException if a row is missing or too many
    RunTotals complete(JavaSparkContext spark) {
        RunTotals totals = RunTotals.read(new ShardSummaries(spark, sink, fingerprint()), sink, plan, fingerprint());
        totals.requireConserved(plan, samples());
        RunLedger now = RunLedger.read(sink, plan, fingerprint());
        if (now.strays() > 0) {
            throw new JobException("output " + sink.location() + ": expected the shards of this run only, got "
                    + now.someStrays() + " too, which something else wrote meanwhile");
        }
        sink.succeed();
        manifest.counted(totals).ended();
        record("committed");
        return totals;
    }

    /// Keeps what the gate said.
    ///
    /// @param recovered rows that were set aside, retried, and are not set aside any more
    void gated(Gate.Verdict verdict, Quarantine quarantine, long recovered) {
        if (verdict.isJudged()) {
            manifest.gated(verdict.word(), quarantine.rows(), recovered);
            record("gated");
        }
    }

    /// Keeps that this start ended before the run did.
    void stopped(String state) {
        manifest.ended();
        record(state);
    }

    private void record(String state) {
        RunLedger now = RunLedger.read(sink, plan, fingerprint());
        manifest.state(state).shards(plan, now.shards(), now.committed());
        sink.writeAside(CompletionSink.MANIFEST, manifest.json());
    }

    /// How far the run is and how it goes on, for a person.
    String standing() {
        RunLedger now = RunLedger.read(sink, plan, fingerprint());
        return String.format(
                Locale.ROOT,
                "%,d of %,d shards (%,d of %,d input rows) are committed in %s; the same command with --output %s goes on",
                now.committed(),
                now.shards(),
                now.committedRows(),
                plan.rows(),
                sink.location(),
                sink.location());
    }

    /// Writes beside the output what executors report, until it is closed.
    RunMetrics.Sampling sample() {
        return metrics.sample();
    }

    CompletionSink sink() {
        return sink;
    }

    InputPlan plan() {
        return plan;
    }

    EngineIdentity engine() {
        return recipe.engine();
    }

    /// When the first start of the run began.
    Instant startedAt() {
        return manifest.startedAt();
    }

    GenerateRecipe recipe() {
        return recipe.generate();
    }

    /// Output rows that were there before this start.
    long rowsBefore() {
        return before.committedRows() * samples();
    }

    /// Output rows that the run has when it is complete.
    long plannedRows() {
        return plan.rows() * samples();
    }

    private int samples() {
        return recipe.generate().sampling().samples();
    }

    private String fingerprint() {
        return recipe.generate().configFingerprint();
    }
}
