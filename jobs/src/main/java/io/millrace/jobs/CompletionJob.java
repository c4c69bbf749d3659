package io.millrace.jobs;

import io.millrace.jobs.report.RunReport;
import io.millrace.udf.RetryPlan;
import io.millrace.udf.shard.RowSummary;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/// One start of a run: plan, find out what is done, do the rest, judge, tell. The gate's process warms up
/// while rows are generated.
public final class CompletionJob {
    private final JobConfig config;
    private final RunRequest request;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;

    /// @param out for the result
    /// @param err for progress
    /// @param terminal whether `err` is a terminal
    public CompletionJob(JobConfig config, RunRequest request, PrintWriter out, PrintWriter err, boolean terminal) {
        this.config = config;
        this.request = request;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /// Runs it in a session of its own, and writes a page about it if that is asked for.
    ///
    /// @return an {@link ExitCode}
    public int run(MillraceHome home) {
        try (Gate gate = new Gate(home, config.gate())) {
            SparkSession session = SparkSessions.open(config);
            try {
                int exitCode = run(JavaSparkContext.fromSparkContext(session.sparkContext()), gate);
                if (request.report()) {
                    RunReport.writeAtEnd(session, config.outputDir(), out, err);
                }
                return exitCode;
            } finally {
                session.stop();
            }
        }
    }

    public int run(JavaSparkContext spark, Gate gate) {
        if (RunPlanner.ASKED.isBound()) {
            boolean languages = config.gate().languages().areTold(gate.asksForLanguages());
            String forecast = RunPlanner.ASKED.get().plan(spark, config, languages, gate::warmUp);
            CompletionSink.open(config.outputDir(), spark.hadoopConfiguration())
                    .writeAside(CompletionSink.FORECAST, forecast);
            throw new RunPlanner.PlannedException();
        }
        Run run = Run.open(spark, config, request, gate.asksForLanguages());
        long startedNanos = System.nanoTime();
        RunTotals computed = complete(run, spark, () -> generate(run, spark, gate));
        Duration generation = Duration.ofNanos(System.nanoTime() - startedNanos);
        Judged judged = new GateRetry(run, spark, gate).judged(computed);

        SummaryTable table = SummaryTable.of(run.plannedRows(), run.rowsBefore(), judged.rows(), generation);
        Gate.Verdict verdict = judged.verdict();
        if (verdict.isJudged()) {
            table.quarantine(judged.quarantine().rows(), judged.rows().retried(), judged.recovered());
        }
        out.print(
                table.line("gate", verdict.summary()).line("output", run.sink().location()));
        verdict.details().forEach(out::println);
        out.flush();
        return exitCode(judged);
    }

    private int exitCode(Judged judged) {
        int exitCode = judged.verdict().exitCode();
        boolean left = request.retries().areAsked() && judged.quarantine().rows() > 0;
        return exitCode == ExitCode.OK && left ? ExitCode.QUARANTINED : exitCode;
    }

    /// Does some of a run's work, and adds up what is there then. A run that is stopped meanwhile is
    /// left so that it can go on.
    private RunTotals complete(Run run, JavaSparkContext spark, Runnable work) {
        try (Interruption interruption = Interruption.watch(spark);
                RunMetrics.Sampling _ = run.sample()) {
            try {
                work.run();
                return run.complete(spark);
            } catch (Exception e) {
                // Spark's exceptions are checked ones that its Scala methods do not declare
                stop(run, interruption.isAsked(), e);
                throw e;
            }
        }
    }

    private void generate(Run run, JavaSparkContext spark, Gate gate) {
        try (Progress _ = Progress.start(
                err, terminal, config.progressSeconds(), run.plannedRows(), run.rowsBefore(), gate::warmUp)) {
            if (request.retryErrors()) {
                run.retryErrors(spark);
            }
            run.compute(spark);
        }
    }

    /// What the gate said of a run, and of which rows.
    private record Judged(Gate.Verdict verdict, RetryPlan plan, Quarantine quarantine, RowSummary rows) {

        /// Rows that were set aside, retried, and are answered and not set aside any more.
        long recovered() {
            return rows.retriedOk() - quarantine.retriedOk();
        }
    }

    /// Asks the gate, has the rows computed again that it sets aside, as often as that is asked for,
    /// and asks again each time.
    private final class GateRetry {
        private final Run run;
        private final JavaSparkContext spark;
        private final Gate gate;

        GateRetry(Run run, JavaSparkContext spark, Gate gate) {
            this.run = run;
            this.spark = spark;
            this.gate = gate;
        }

        Judged judged(RunTotals computed) {
            Judged judged = leftOff(computed.all());
            for (int round = 1;
                    round <= request.retries().rounds() && judged.quarantine().due() > 0;
                    round++) {
                judged = retry(round, judged);
            }
            return judged;
        }

        /// A retry that an earlier start did not end goes on, before anything is judged anew.
        private Judged leftOff(RowSummary rows) {
            Gate.Verdict last = request.retries().areAsked() && run.isRetrying() ? gate.last(run) : null;
            return last == null ? judge(rows) : judged(last, rows);
        }

        private Judged retry(int round, Judged before) {
            long due = before.quarantine().due();
            say(String.format(
                    Locale.ROOT,
                    "retry %d: %,d quarantined rows, of which %,d are computed again",
                    round,
                    before.quarantine().rows(),
                    due));
            RunTotals totals = complete(run, spark, () -> {
                try (Progress _ = Progress.startRetry(err, terminal, config.progressSeconds(), round, due)) {
                    run.retryQuarantined(spark, before.plan(), before.quarantine());
                }
            });
            Judged after = judge(totals.all());
            say(String.format(
                    Locale.ROOT,
                    "retry %d: %,d rows retried; now %,d recovered, %,d quarantined",
                    round,
                    due,
                    after.recovered(),
                    after.quarantine().rows()));
            return after;
        }

        private void say(String line) {
            err.println(line);
            err.flush();
        }

        private Judged judge(RowSummary rows) {
            Judged judged = judged(gate.judge(run), rows);
            run.gated(judged.verdict(), judged.quarantine(), judged.recovered());
            return judged;
        }

        private Judged judged(Gate.Verdict verdict, RowSummary rows) {
            RetryPlan plan = new RetryPlan(verdict.retries(), request.retries().limit());
            return new Judged(verdict, plan, verdict.isJudged() ? run.quarantine(spark, plan) : Quarantine.NONE, rows);
        }
    }

    /// Leaves the run so that it can go on, and says how. A directory that cannot be written to any more
    /// does not hide why the run stopped.
    private void stop(Run run, boolean interrupted, Exception reason) {
        try {
            run.stopped(interrupted ? "interrupted" : "failed");
        } catch (JobException e) {
            reason.addSuppressed(e);
        }
        try {
            err.println("millrace: " + (interrupted ? "interrupted: " : "") + run.standing());
        } catch (JobException e) {
            reason.addSuppressed(e);
        }
        err.flush();
    }
}
