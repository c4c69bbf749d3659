package io.millrace.jobs.summarize;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring_index;

import io.millrace.jobs.CompletionJob;
import io.millrace.jobs.Gate;
import io.millrace.jobs.InputTable;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunPlanner;
import io.millrace.jobs.RunRequest;
import io.millrace.jobs.RunRequest.IfDifferent;
import io.millrace.jobs.Settings;
import io.millrace.jobs.SparkSessions;
import io.millrace.jobs.StageFolders;
import io.millrace.jobs.report.RunReport;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.EngineQuestion;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/// Summarises documents in rounds, each of which is a {@link CompletionJob} with a ledger of its own; the
/// last one writes the output, one row for each input row whatever happened to it.
///
/// A table is written once and says what it was made of; what was made of something else is made again, and
/// so is all that follows from it. A job that was stopped in whatever round goes on there.
public final class LongDocumentJob {
    private static final String DOCUMENTS = "documents";
    private static final String LAST = "last";
    private static final long ROWS_PER_FILE = 20_000;

    private final MillraceHome home;
    private final List<Settings> layers;
    private final JobConfig config;
    private final SummarizeConfig summarize;
    private final RunRequest request;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;

    /// @param layers of the configuration, the strongest last, which the rounds are run with too
    /// @param resolved what follows from them
    /// @param out for the result
    /// @param err for progress
    /// @param terminal whether `err` is a terminal
    public LongDocumentJob(
            MillraceHome home,
            List<Settings> layers,
            SummarizeConfig.Resolved resolved,
            RunRequest request,
            PrintWriter out,
            PrintWriter err,
            boolean terminal) {
        this.home = home;
        this.layers = layers;
        this.config = resolved.job();
        this.summarize = resolved.summarize();
        this.request = request;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /// Runs it in a session of its own.
    ///
    /// @return an {@link io.millrace.jobs.ExitCode}
    public int run() {
        try (Gate gate = new Gate(home, config.gate())) {
            SparkSession session = SparkSessions.open(config);
            try {
                int exitCode = summarize.isLong() ? rounds(session, gate) : single(session, gate);
                if (request.report()) {
                    RunReport.writeAtEnd(session, config.outputDir(), out, err);
                }
                return exitCode;
            } finally {
                session.stop();
            }
        }
    }

    private int rounds(SparkSession session, Gate gate) {
        return ScopedValue.where(RunPlanner.LATER, "the rounds after the first")
                .call(() -> new Stages(session, gate).run());
    }

    private int single(SparkSession session, Gate gate) {
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        int exitCode = new CompletionJob(config, request, out, err, terminal).run(spark, gate);
        new Report(session, config, summarize, StageFolders.open(config.outputDir(), spark.hadoopConfiguration()))
                .write(InputTable.of(spark, config, List.of()), false, out);
        return exitCode;
    }

    /// One start of the job.
    private final class Stages {
        private final SparkSession session;
        private final JavaSparkContext spark;
        private final Gate gate;
        private final StageFolders folders;
        private final InputTable input;
        private final DocumentRecipe recipe = DocumentRecipe.of(config, summarize);
        private final List<String> columns = summarize.columns(config.prompt());

        Stages(SparkSession session, Gate gate) {
            this.session = session;
            this.gate = gate;
            spark = JavaSparkContext.fromSparkContext(session.sparkContext());
            folders = StageFolders.open(config.outputDir(), spark.hadoopConfiguration());
            input = InputTable.of(spark, config, columns);
        }

        int run() {
            if (request.ifDifferent() == IfDifferent.NEW_RUN) {
                folders.setAside();
            }
            folders.keep(config, "summarize", summarize.keys());
            split();
            int rounds = 0;
            String madeOf = folders.madeOf(DOCUMENTS);
            while (true) {
                String step = step(++rounds, String.valueOf(madeOf));
                if (table(step).filter(col(NextRequests.READY).equalTo(false)).isEmpty()) {
                    break;
                }
                madeOf = round(rounds);
            }
            deleteAfter(rounds);
            return last(rounds);
        }

        private Dataset<Row> table(String stage) {
            return session.read().parquet(folders.of(stage));
        }

        /// The documents, cut.
        private void split() {
            Map<String, Object> of = new TreeMap<>();
            of.put("input", input.versions());
            of.put(
                    "columns",
                    List.of(
                            String.valueOf(config.input().textColumn()),
                            String.valueOf(config.input().idColumn()),
                            String.valueOf(config.input().referenceColumn())));
            Map<String, Object> keys = summarize.keys();
            keys.remove("metrics");
            keys.remove("lead-sentences");
            of.put("summarize", keys);
            of.put("prompt", config.prompt());
            of.put("max-tokens", config.sampling().maxTokens());
            of.put("tokenizer", tokenizer());
            String madeOf = DocumentTable.json(of);
            String before = folders.madeOf(DOCUMENTS);
            if (madeOf.equals(before)) {
                return;
            }
            if (before != null && request.ifDifferent() == IfDifferent.REFUSE) {
                throw new JobException("output " + folders.output()
                        + ": expected to go on with the documents that are there, got others:\n    was " + before
                        + "\n    now " + madeOf + "\nchoose another --output, or --new-run, or --redo");
            }
            JavaRDD<Row> documents = input.whereTheEnginesAre(
                    input.read().zipWithIndex().map(row -> row).mapPartitions(new SplitDocuments(recipe, columns)));
            write(session.createDataFrame(documents, DocumentTable.SCHEMA), DOCUMENTS, madeOf);
        }

        private String tokenizer() {
            return input.whereTheEnginesAre(spark.parallelize(List.of(""), 1))
                    .map(new EngineQuestion(config.engine()))
                    .map(json -> EngineIdentity.ofJson(json).tokenizerSha256())
                    .first();
        }

        private void write(Dataset<Row> rows, String stage, String madeOf) {
            folders.delete(stage);
            rows.write().parquet(folders.of(stage));
            folders.wrote(stage, madeOf);
        }

        /// Brings every document on that is not ready, and writes what is to be asked.
        ///
        /// @param madeOf of the answers of the round before, or of the documents
        private String step(int round, String madeOf) {
            String stage = round + "/documents";
            String of = DocumentTable.json(Map.of("round", round, "of", madeOf));
            if (!folders.holds(stage, of)) {
                Dataset<Row> documents = table(DOCUMENTS);
                Dataset<Row> due = round == 1
                        ? documents.withColumn(NextRequests.PROGRESS, lit(null).cast("string"))
                        : documents
                                .join(
                                        table(round - 1 + "/documents")
                                                .filter(col(NextRequests.READY).equalTo(false))
                                                .select(DocumentTable.DOCUMENT, NextRequests.PROGRESS),
                                        DocumentTable.DOCUMENT)
                                .join(answers(round - 1), DocumentTable.DOCUMENT);
                JavaRDD<Row> next = input.whereTheEnginesAre(due.toJavaRDD().mapPartitions(new NextRequests(recipe)));
                write(session.createDataFrame(next, NextRequests.SCHEMA), stage, of);
            }
            return stage;
        }

        private Dataset<Row> answers(int round) {
            return table(round + "/rows")
                    .select(
                            substring_index(col(Completion.CUSTOM_ID), "/", 1)
                                    .cast("long")
                                    .as(DocumentTable.DOCUMENT),
                            struct(
                                            substring_index(col(Completion.CUSTOM_ID), "/", -1)
                                                    .cast("int"),
                                            col(Completion.OUTPUT_TEXT),
                                            col("error.code"),
                                            col("error.message"))
                                    .as("answer"))
                    .groupBy(DocumentTable.DOCUMENT)
                    .agg(collect_list("answer").as(NextRequests.ANSWERS));
        }

        /// Has a round's requests answered.
        ///
        /// @return what the answers are
        private String round(int round) {
            String requests = round + "/requests";
            String of = String.valueOf(folders.madeOf(round + "/documents"));
            boolean fresh = !folders.holds(requests, of);
            if (fresh) {
                Dataset<Row> rows = table(round + "/documents")
                        .select(
                                col(DocumentTable.DOCUMENT),
                                col("level"),
                                explode(col(NextRequests.REQUESTS)).as("request"))
                        .select(col(DocumentTable.DOCUMENT), col("level"), col("request.*"))
                        .withColumn("id", concat_ws("/", col(DocumentTable.DOCUMENT), col(NextRequests.PIECE)));
                write(sorted(rows, DocumentTable.DOCUMENT, NextRequests.PIECE), requests, of);
            }
            err.println(String.format(
                    Locale.ROOT,
                    "round %d: %,d requests",
                    round,
                    table(requests).count()));
            err.flush();
            Map<String, String> own = stage(requests, folders.of(round + "/rows"));
            own.put("input.id-column", "id");
            own.put("gate.enabled", "false");
            own.put("gate.languages", "off");
            own.put("sampling.samples", "1");
            JobConfig stage = resolved(own);
            try (Gate none = new Gate(home, stage.gate())) {
                new CompletionJob(
                                stage,
                                new RunRequest(request.command(), ifDifferent(fresh), request.retryErrors()),
                                new PrintWriter(Writer.nullWriter()),
                                err,
                                terminal)
                        .run(spark, none);
            }
            return folders.digest(round + "/rows");
        }

        private Dataset<Row> sorted(Dataset<Row> rows, String... by) {
            int files = Math.toIntExact(Math.ceilDiv(Math.max(1, rows.count()), ROWS_PER_FILE));
            Column[] order = Arrays.stream(by).map(name -> col(name)).toArray(Column[]::new);
            return (files == 1 ? rows.coalesce(1) : rows.repartitionByRange(files, order)).sortWithinPartitions(order);
        }

        /// Requests that were written anew are another input of their round, as they are meant to be.
        private IfDifferent ifDifferent(boolean fresh) {
            boolean isMeant = fresh && request.ifDifferent() == IfDifferent.REFUSE;
            return isMeant ? IfDifferent.REDO : request.ifDifferent();
        }

        /// The keys by which a stage reads requests that this class wrote.
        private Map<String, String> stage(String requests, String output) {
            Map<String, String> keys = new LinkedHashMap<>();
            keys.put("input.path", folders.of(requests));
            keys.put("input.format", "parquet");
            keys.put("input.text-column", DocumentTable.TEXT);
            keys.put("input.id-column", DocumentTable.CUSTOM_ID);
            keys.put("input.reference-column", "");
            keys.put("input.limit", "0");
            keys.put("input.whole-files", "false");
            keys.put("prompt.template", "{prompt}");
            keys.put("prompt.overlong", "error");
            keys.put("output.dir", output);
            return keys;
        }

        private JobConfig resolved(Map<String, String> own) {
            Map<String, List<String>> values = new LinkedHashMap<>();
            own.forEach((key, value) -> values.put(key, List.of(value)));
            List<Settings> all = new ArrayList<>(layers);
            all.add(new Settings("round", values));
            return SummarizeConfig.resolve(home, all).job();
        }

        /// Rounds that an earlier start had and this one does not.
        private void deleteAfter(int rounds) {
            for (int round = rounds + 1; folders.madeOf(round + "/documents") != null; round++) {
                folders.delete(Integer.toString(round));
            }
        }

        /// The last request of every document.
        private int last(int rounds) {
            Dataset<Row> ready = null;
            List<String> of = new ArrayList<>();
            for (int round = 1; round <= rounds; round++) {
                Dataset<Row> some = table(round + "/documents").filter(col(NextRequests.READY));
                ready = ready == null ? some : ready.union(some);
                of.add(String.valueOf(folders.madeOf(round + "/documents")));
            }
            String madeOf = DocumentTable.json(of);
            String requests = LAST + "/requests";
            boolean fresh = !folders.holds(requests, madeOf);
            if (fresh && ready != null) {
                JavaRDD<Row> rows = table(DOCUMENTS)
                        .join(ready.select(DocumentTable.DOCUMENT, NextRequests.PROGRESS), DocumentTable.DOCUMENT)
                        .toJavaRDD()
                        .map(LastRequest::of);
                write(
                        sorted(session.createDataFrame(rows, LastRequest.SCHEMA), DocumentTable.DOCUMENT),
                        requests,
                        madeOf);
            }
            long documents = table(requests).count();
            if (documents != input.rows()) {
                throw new JobException("rounds in " + folders.output() + ": expected " + input.rows()
                        + " documents, got " + documents);
            }
            Map<String, String> own = stage(requests, config.outputDir());
            own.put("input.fault-column", DocumentTable.FAULT);
            own.put("input.reference-column", config.input().referenceColumn() == null ? "" : DocumentTable.REFERENCE);
            own.put("gate.dataset", config.gate().dataset());
            JobConfig stage = resolved(own);
            RunRequest asked = new RunRequest(
                    request.command(), ifDifferent(fresh), request.retryErrors(), request.retries(), false);
            int exitCode = new CompletionJob(stage, asked, out, err, terminal).run(spark, gate);
            new Report(session, stage, summarize, folders)
                    .write(InputTable.of(spark, stage, List.of(LastRequest.CHUNKS, LastRequest.LEFT_OUT)), true, out);
            return exitCode;
        }
    }
}
