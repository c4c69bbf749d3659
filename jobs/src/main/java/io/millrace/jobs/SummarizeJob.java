package io.millrace.jobs;

import java.io.PrintWriter;
import java.time.Duration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/// One start of a run: plan, find out what is done, do the rest, judge, tell. The gate's process warms up
/// while rows are generated.
final class SummarizeJob {
    private final JobConfig config;
    private final RunRequest request;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;

    /// @param out for the result
    /// @param err for progress
    /// @param terminal whether `err` is a terminal
    SummarizeJob(JobConfig config, RunRequest request, PrintWriter out, PrintWriter err, boolean terminal) {
        this.config = config;
        this.request = request;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /// Runs it in a session of its own.
    ///
    /// @return an {@link ExitCode}
    int run(MillraceHome home) {
        try (Gate gate = new Gate(home, config.gate())) {
            SparkSession session = SparkSessions.open(config);
            try {
                return run(JavaSparkContext.fromSparkContext(session.sparkContext()), gate);
            } finally {
                session.stop();
            }
        }
    }

    int run(JavaSparkContext spark, Gate gate) {
        Run run = Run.open(spark, config, request);
        long startedNanos = System.nanoTime();
        RunTotals totals;
        Duration generation;
        try (Interruption interruption = Interruption.watch(spark)) {
            try {
                generate(run, spark, gate);
                generation = Duration.ofNanos(System.nanoTime() - startedNanos);
                totals = run.complete(spark);
            } catch (Exception e) {
                // Spark's exceptions are checked ones that its Scala methods do not declare
                stop(run, interruption.isAsked(), e);
                throw e;
            }
        }
        SummaryTable table = SummaryTable.of(run.plannedRows(), run.rowsBefore(), totals.all(), generation);
        Gate.Verdict verdict = gate.judge(run.sink(), run.recipe(), run.plan());
        run.gated(verdict);
        out.print(
                table.line("gate", verdict.summary()).line("output", run.sink().location()));
        verdict.details().forEach(out::println);
        out.flush();
        return verdict.exitCode();
    }

    private void generate(Run run, JavaSparkContext spark, Gate gate) {
        try (Progress _ = Progress.start(err, terminal, run.plannedRows(), run.rowsBefore(), gate::warmUp)) {
            if (request.retryErrors()) {
                run.retryErrors(spark);
            }
            run.compute(spark);
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
