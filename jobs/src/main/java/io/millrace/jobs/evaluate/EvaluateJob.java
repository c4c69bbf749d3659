package io.millrace.jobs.evaluate;

import io.millrace.jobs.Builds;
import io.millrace.jobs.CompletionJob;
import io.millrace.jobs.Gate;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunRequest;
import io.millrace.jobs.SparkSessions;
import io.millrace.jobs.evaluate.python.PythonJson;
import io.millrace.jobs.report.RunReport;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.RowIdentity;
import io.millrace.udf.shard.WholeFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/// One start of an evaluation: documents become a table of requests, those are computed by a {@link
/// CompletionJob} with its ledger, and its rows are scored. What was written before and is the same is
/// not written again, so a start after an interruption goes on where the rows stopped.
///
/// In the output directory: `requests/` (Parquet), `completions/` (the job's own), and a folder named
/// after the model with the files of results and samples.
final class EvaluateJob {
    /// Folders of the output.
    static final String REQUESTS = "requests";
    static final String COMPLETIONS = "completions";
    /// What the requests are, beside them: written when they are all there.
    private static final String DIGEST = "_requests.sha256";

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH-mm-ss.SSSSSS", Locale.ROOT);

    private final Plan plan;
    private final RunRequest request;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;
    private final Instant started = Instant.now();

    /// What is to be done.
    ///
    /// @param output folder of all of it
    /// @param completion configuration of the job over the requests
    /// @param limit most documents of a task; 0 for all
    /// @param seed of the choice of examples
    /// @param system words before the tasks' own; null for none
    record Plan(
            TaskSet tasks,
            Documents documents,
            String output,
            JobConfig completion,
            long limit,
            long seed,
            Map<String, Object> generation,
            Question.Style style,
            @Nullable String system) {}

    EvaluateJob(Plan plan, RunRequest request, PrintWriter out, PrintWriter err, boolean terminal) {
        this.plan = plan;
        this.request = request;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /// @return an exit code: the gate's word on the rows
    int run(MillraceHome home) {
        List<Asked> asked = new ArrayList<>();
        for (Task task : plan.tasks().tasks()) {
            asked.add(Asked.of(task, plan.documents(), plan.limit(), plan.seed(), plan.style(), plan.system()));
        }
        try (Gate gate = new Gate(home, plan.completion().gate())) {
            SparkSession session = SparkSessions.open(plan.completion());
            try {
                JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
                writeRequests(session, asked);
                int exitCode = new CompletionJob(plan.completion(), request, out, err, terminal).run(spark, gate);
                report(session, asked);
                if (request.report()) {
                    RunReport.writeAtEnd(session, plan.output(), out, err);
                }
                return exitCode;
            } finally {
                session.stop();
            }
        }
    }

    private void writeRequests(SparkSession session, List<Asked> asked) {
        List<Row> rows = new ArrayList<>();
        asked.forEach(one -> rows.addAll(one.rows()));
        StringBuilder all = new StringBuilder();
        rows.forEach(row -> all.append(row).append('\0'));
        String digest = RowIdentity.sha256Hex(all.toString());
        Path folder = new Path(plan.output(), REQUESTS);
        try {
            WholeFiles files = WholeFiles.on(folder, session.sparkContext().hadoopConfiguration());
            Path mark = new Path(plan.output(), DIGEST);
            String before = files.fileSystem().exists(mark) ? text(files, mark) : null;
            if (digest.equals(before)) {
                return;
            }
            if (before != null && request.ifDifferent() == RunRequest.IfDifferent.REFUSE) {
                throw new JobException("output " + plan.output() + ": expected to go on with the evaluation that is"
                        + " there, got other requests: tasks, their data, examples or limits have changed;"
                        + " choose another --output, or --new-run, or --redo");
            }
            files.fileSystem().delete(mark, false);
            session.createDataFrame(rows, Asked.SCHEMA)
                    .coalesce(1)
                    .write()
                    .mode("overwrite")
                    .parquet(folder.toString());
            write(files, mark, digest);
        } catch (IOException e) {
            throw new JobException("output " + folder + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private static String text(WholeFiles files, Path file) throws IOException {
        try (var in = files.fileSystem().open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void write(WholeFiles files, Path target, String text) throws IOException {
        files.write(target.getParent(), target, stream -> stream.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    private void report(SparkSession session, List<Asked> asked) {
        Map<String, String> engine = new LinkedHashMap<>();
        Map<String, Answer> answers = answers(session, engine);
        List<TaskScore> scores = asked.stream()
                .map(one -> TaskScore.of(one, one.answers(answers)))
                .toList();
        Results results = Results.of(plan.tasks(), scores, context(engine));
        Path folder = new Path(plan.output(), results.context().modelFolder());
        String stamp = STAMP.format(LocalDateTime.now(ZoneId.systemDefault()));
        Path file = new Path(folder, "results_" + stamp + ".json");
        try {
            WholeFiles files = WholeFiles.on(folder, session.sparkContext().hadoopConfiguration());
            files.fileSystem().mkdirs(folder);
            write(files, file, PythonJson.pretty(results.file()));
            for (TaskScore score : scores) {
                StringBuilder lines = new StringBuilder();
                score.samples()
                        .forEach(sample ->
                                lines.append(PythonJson.compact(sample)).append('\n'));
                write(files, new Path(folder, "samples_" + fileName(score) + "_" + stamp + ".jsonl"), lines.toString());
            }
        } catch (IOException e) {
            throw new JobException("output " + folder + ": expected to be writable, got " + e.getMessage(), e);
        }
        results.table().forEach(out::println);
        out.println("results  " + file);
        out.flush();
    }

    /// The task's name; of one that a group names itself without what no path may hold.
    private static String fileName(TaskScore score) {
        return score.task().name().replaceAll("[^\\p{L}\\p{N}_.-]+", "__");
    }

    private Results.Context context(Map<String, String> engine) {
        Instant now = Instant.now();
        double startedSeconds = started.toEpochMilli() / 1000.0;
        return new Results.Context(
                engine.getOrDefault("model", plan.completion().engine().modelDir()),
                engine,
                plan.limit() == 0 ? null : plan.limit(),
                plan.generation(),
                plan.seed(),
                plan.style(),
                plan.system(),
                startedSeconds,
                now.toEpochMilli() / 1000.0 - startedSeconds,
                Builds.version());
    }

    /// What came of each row, by its id.
    ///
    /// @param engine takes what the rows say of what answered them
    private Map<String, Answer> answers(SparkSession session, Map<String, String> engine) {
        List<Row> rows = session.read()
                .parquet(plan.completion().outputDir())
                .select(
                        Completion.CUSTOM_ID,
                        Completion.STATUS,
                        Completion.OUTPUT_TEXT,
                        Completion.Scores.COLUMN,
                        Completion.RowError.COLUMN,
                        Completion.Engine.COLUMN)
                .collectAsList();
        Map<String, Answer> answers = new HashMap<>();
        for (Row row : rows) {
            answers.put(row.getString(0), answer(row));
            if (engine.isEmpty()) {
                Row said = row.getStruct(5);
                for (String field : said.schema().fieldNames()) {
                    engine.put(field, said.getAs(field));
                }
            }
        }
        return answers;
    }

    private static Answer answer(Row row) {
        if (!row.getString(1).equals("ok")) {
            Row error = row.getStruct(4);
            return new Answer.Failed(error == null ? row.getString(1) : error.getAs(Completion.RowError.MESSAGE));
        }
        if (row.isNullAt(3)) {
            return new Answer.Texts(List.of(row.isNullAt(2) ? "" : row.getString(2)));
        }
        List<Answer.Score> scores = new ArrayList<>();
        for (Row score : row.<Row>getList(3)) {
            scores.add(new Answer.Score(
                    score.<Double>getAs(Completion.Scores.SUM_LOGPROB),
                    score.<Boolean>getAs(Completion.Scores.IS_GREEDY)));
        }
        return new Answer.Scores(scores);
    }
}
