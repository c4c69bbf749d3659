package io.millrace.jobs.generate;

import io.millrace.jobs.CompletionJob;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Gate;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunPlanner;
import io.millrace.jobs.RunRequest;
import io.millrace.jobs.Settings;
import io.millrace.jobs.SparkSessions;
import io.millrace.jobs.report.RunReport;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/// One start of a pipeline: each step that is not done, in order, then the data set. What is done is not
/// done again. Confined to one thread.
final class Generation {
    private static final String COUNTS = "counts.json";
    private static final String ROWS = "rows";

    private final Pipeline pipeline;
    private final MillraceHome home;
    private final List<Settings> layers;
    private final RunRequest request;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;
    private final JobConfig base;
    private @Nullable SparkSession session;
    private @Nullable Gate gate;

    /// @param layers of the configuration beside the pipeline's own, the strongest last
    Generation(
            Pipeline pipeline,
            MillraceHome home,
            List<Settings> layers,
            RunRequest request,
            PrintWriter out,
            PrintWriter err,
            boolean terminal) {
        this.pipeline = pipeline;
        this.home = home;
        this.layers = List.copyOf(layers);
        this.request = request;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
        base = config(new Settings("pipeline", Map.of()), Map.of("input.path", "."));
        for (Pipeline.NamedStep step : pipeline.steps()) {
            if (step.step().infers()) {
                // everything that is wrong is said before anything starts
                config(step.settings(), Map.of("input.path", "."));
            }
        }
    }

    /// The configuration of a run: the pipeline's keys, then the step's, then all that a person gives
    /// from outside, then what the step must have.
    JobConfig config(Settings ofStep, Map<String, String> own) {
        List<Settings> all = new ArrayList<>();
        all.add(new Settings("pipeline", Map.of("gate.dataset", List.of(pipeline.name()))));
        all.add(pipeline.settings());
        all.add(ofStep);
        all.addAll(layers);
        Map<String, List<String>> forced = new LinkedHashMap<>();
        forced.put("input.format", List.of("parquet"));
        forced.put("input.text-column", List.of("text"));
        forced.put("input.id-column", List.of(PipelineRow.ROW_ID));
        forced.put("input.reference-column", List.of(""));
        forced.put("input.whole-files", List.of("false"));
        forced.put("input.limit", List.of("0"));
        own.forEach((key, value) -> forced.put(key, List.of(value)));
        all.add(new Settings("step", forced));
        return JobConfig.resolve(home, all);
    }

    /// An input: the step's keys, then what a person gives from outside.
    JobConfig.Input input(Map<String, List<String>> keys) {
        List<Settings> all = new ArrayList<>();
        all.add(pipeline.settings());
        all.add(new Settings("seeds", keys));
        all.addAll(layers);
        return JobConfig.resolve(home, all).input();
    }

    SparkSession spark() {
        if (session == null) {
            throw new IllegalStateException("the session is open while steps run");
        }
        return session;
    }

    long seed() {
        return pipeline.seed();
    }

    /// Runs the pipeline from where it was left.
    ///
    /// @return an {@link ExitCode}
    int run() {
        try (Gate opened = new Gate(home, base.gate())) {
            gate = opened;
            session = SparkSessions.open(base);
            try {
                return ScopedValue.where(RunPlanner.LATER, "the steps after the first that asks the model")
                        .call(() -> run(new Path(base.outputDir())));
            } catch (StepStoppedException e) {
                err.println("millrace: " + e.getMessage() + "; the same command goes on from there");
                err.flush();
                return e.exitCode();
            } finally {
                session.stop();
                session = null;
            }
        }
    }

    private int run(Path output) {
        StepFolder root = StepFolder.of(spark(), output);
        List<StepCounts> counts = new ArrayList<>();
        Dataset<Row> rows = root.empty(PipelineRow.SCHEMA);
        String before = Fingerprints.of(pipeline.name(), Long.toString(pipeline.seed()));
        long in = 0;
        for (int number = 1; number <= pipeline.steps().size(); number++) {
            Pipeline.NamedStep step = pipeline.steps().get(number - 1);
            String name = String.format(Locale.ROOT, "%02d-%s", number, step.name());
            StepFolder folder = StepFolder.of(spark(), new Path(new Path(output, "steps"), name));
            StepCounts done = step(step, number, folder, rows, in, before);
            counts.add(done);
            rows = PipelineRow.kept(folder.table(ROWS));
            in = done.kept();
            before = done.outcome();
        }
        Funnel funnel = new Funnel(counts);
        root.write("funnel.json", funnel);
        HubDataset dataset = new HubDataset(root, pipeline, funnel);
        dataset.write(rows);
        out.print(funnel.text());
        out.println("data set  " + dataset.location());
        out.flush();
        if (request.report()) {
            RunReport.writeAtEnd(spark(), output.toString(), out, err);
        }
        return ExitCode.OK;
    }

    private StepCounts step(
            Pipeline.NamedStep step, int number, StepFolder folder, Dataset<Row> in, long rowsIn, String before) {
        Stage probe = new Stage(this, step, number, folder, before);
        String unasked = Fingerprints.of(
                before,
                step.name(),
                step.kind(),
                step.parameters().toString(),
                step.step().files(probe));
        String fingerprint = step.step().infers() ? Fingerprints.of(unasked, asking(step)) : unasked;
        StepCounts earlier = folder.read(COUNTS, StepCounts.class);
        if (earlier != null && earlier.fingerprint().equals(fingerprint) && !asksAgain(step)) {
            say(step.name() + ": done before, " + earlier.kept() + " of " + earlier.made() + " rows kept");
            return earlier;
        }
        say(step.name() + ": " + rowsIn + " rows in");
        Stage stage = new Stage(this, step, number, folder, unasked);
        Step.Made made = step.step().run(stage, in);
        String outcome = Fingerprints.of(fingerprint, stage.outcome());
        Dataset<Row> rows = folder.once(
                ROWS, outcome, () -> PipelineRow.shaped(made.rows()).orderBy(PipelineRow.POSITION, PipelineRow.ROW_ID));
        StepCounts counts = counts(step, stage, rows, rowsIn, fingerprint, outcome);
        counts.requireConserved(
                made.expected(), rows.select(PipelineRow.ROW_ID).distinct().count());
        folder.write(COUNTS, counts);
        say(step.name() + ": " + counts.kept() + " of " + counts.made() + " rows kept");
        return counts;
    }

    private static StepCounts counts(
            Pipeline.NamedStep step, Stage stage, Dataset<Row> rows, long rowsIn, String fingerprint, String outcome) {
        StepCounts.Outcomes outcomes = StepCounts.Outcomes.of(rows);
        return new StepCounts(
                step.name(),
                step.kind(),
                fingerprint,
                outcome,
                rowsIn,
                rows.count(),
                outcomes.kept(),
                outcomes.dropped(),
                stage.runs(),
                stage.notes());
    }

    /// What of the configuration can change an answer.
    private String asking(Pipeline.NamedStep step) {
        JobConfig config = config(step.settings(), Map.of("input.path", "."));
        return config.prompt() + "\n" + config.sampling() + "\n"
                + config.engine().kind() + "\n" + config.engine().modelDir() + "\n"
                + config.engine().served() + "\n" + config.gate();
    }

    /// A person wants runs of models looked at again.
    private boolean asksAgain(Pipeline.NamedStep step) {
        return step.step().infers()
                && (request.retryErrors() || request.ifDifferent() != RunRequest.IfDifferent.REFUSE);
    }

    /// Has a run of a model done.
    int complete(String step, JobConfig config) {
        if (gate == null) {
            throw new JobException("step " + step + ": asked for outside of a run");
        }
        return new CompletionJob(config, request, out, err, terminal)
                .run(JavaSparkContext.fromSparkContext(spark().sparkContext()), gate);
    }

    private void say(String line) {
        err.println(line);
        err.flush();
    }
}
