package io.millrace.jobs;

import io.millrace.udf.GenerateFunction;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.InputColumns;
import io.millrace.udf.SparkSchemas;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.UUID;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/// One run: read, plan, generate, write, judge, tell. The gate's process warms up while the rows are
/// generated.
final class SummarizeJob {
    private final JobConfig config;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;

    /// @param out for the result
    /// @param err for progress
    /// @param terminal whether `err` is a terminal
    SummarizeJob(JobConfig config, PrintWriter out, PrintWriter err, boolean terminal) {
        this.config = config;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /// Runs it in a session of its own.
    ///
    /// @return an {@link ExitCode}
    int run(MillraceHome home) {
        try (Gate gate = new Gate(home, config.gate())) {
            SparkSession spark = SparkSessions.open(config);
            try {
                return run(spark, gate);
            } finally {
                spark.stop();
            }
        }
    }

    int run(SparkSession spark, Gate gate) {
        Corpus corpus = new InputReader(spark, config.input(), config.prompt().template()).read();
        long plannedRows = corpus.totalRows() * config.sampling().samples();
        GenerateRecipe recipe = new GenerateRecipe(
                config.engine(),
                config.prompt(),
                config.sampling(),
                UUID.randomUUID().toString(),
                ConfigFile.fingerprint(config),
                Builds.version());
        CompletionSink sink =
                CompletionSink.open(config.outputDir(), spark.sparkContext().hadoopConfiguration());
        RunManifest manifest =
                new RunManifest(recipe.runId(), recipe.configFingerprint(), ConfigFile.groups(config), corpus, config);
        sink.writeAside("config.yaml", ConfigFile.yaml(config));
        sink.writeManifest(manifest.state("running"));

        long startedNanos = System.nanoTime();
        try (Progress _ = Progress.start(err, terminal, plannedRows, gate::warmUp)) {
            sink.write(completions(spread(corpus, spark), recipe));
        } catch (Exception e) {
            // Spark's exceptions are checked ones that its Scala methods do not declare
            sink.writeManifest(manifest.state("failed").ended());
            throw e;
        }
        Duration generation = Duration.ofNanos(System.nanoTime() - startedNanos);
        Outcome outcome = Outcome.read(spark, sink.stagedLocation());
        if (outcome.rows() != plannedRows) {
            sink.writeManifest(manifest.state("failed").ended());
            throw new JobException("rows: expected " + plannedRows + " as planned, got " + outcome.rows() + " in "
                    + sink.stagedLocation() + "; did the input change meanwhile?");
        }
        sink.commit();
        sink.writeManifest(manifest.state("committed").counted(outcome).ended());

        SummaryTable table = SummaryTable.of(plannedRows, outcome, generation);
        Gate.Verdict verdict =
                gate.judge(sink, recipe, corpus, config.sampling().samples());
        manifest.gated(verdict.word(), Gate.VERDICT_FILE);
        sink.writeManifest(verdict.isJudged() ? manifest.state("gated") : manifest);
        out.print(table.line("gate", verdict.summary()).line("output", sink.location()));
        verdict.details().forEach(out::println);
        out.flush();
        return verdict.exitCode();
    }

    static Dataset<Row> completions(Dataset<Row> rows, GenerateRecipe recipe) {
        return rows.mapPartitions(new GenerateFunction(recipe), Encoders.row(SparkSchemas.completion()));
    }

    /// Rows spread evenly over tasks by where they come from, so that a retry sees the same rows; in input
    /// order within a task.
    private Dataset<Row> spread(Corpus corpus, SparkSession spark) {
        long byRows = Math.ceilDiv(corpus.totalRows(), (long) config.shardRows());
        int tasks = Math.clamp(byRows, spark.sparkContext().defaultParallelism(), 1_000_000);
        String[] place = {InputColumns.FILE, InputColumns.ROW_GROUP, InputColumns.ROW};
        return corpus.rows()
                .repartition(tasks, functions.col(place[0]), functions.col(place[1]), functions.col(place[2]))
                .sortWithinPartitions(place[0], place[1], place[2]);
    }
}
