package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.when;

import io.millrace.jobs.InputTable;
import io.millrace.jobs.JobException;
import io.millrace.udf.TextMetrics;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// Drops rows that share a run of n words with a benchmark, and says which and which run. Words are those
/// of {@link TextMetrics}, so that case and punctuation make no difference. Benchmark texts of fewer
/// words than n cannot match; how many there are is noted beside the step's figures.
///
/// @param words in a run; 13 as in GPT-3's and lm-evaluation-harness's decontamination
record DecontaminateStep(Texts on, int words, List<Benchmark> benchmarks) implements Step {

    /// Texts that must not be in the data.
    ///
    /// @param format `parquet`, `json` (a document for each line or, with `multi-line`, for each file) or
    ///     `csv`
    /// @param columns expressions of Spark SQL, each a text
    record Benchmark(String name, List<String> paths, String format, boolean multiLine, List<String> columns) {}

    static Step read(String name, Parameters parameters) {
        Texts on = Texts.read(parameters, Texts.CONVERSATION);
        List<Benchmark> benchmarks = new ArrayList<>();
        for (Parameters benchmark : parameters.list("benchmarks")) {
            List<String> paths = benchmark.texts("path", List.of());
            List<String> columns = benchmark.texts("columns", List.of());
            String called = benchmark.text("name");
            if (paths.isEmpty()) {
                benchmark.wrong("path", "at least one file", "none");
            }
            if (columns.isEmpty()) {
                benchmark.wrong("columns", "at least one column", "none");
            }
            String told = paths.isEmpty() ? "json" : format(paths.getFirst());
            benchmarks.add(new Benchmark(
                    called,
                    paths,
                    benchmark.choice("format", told, List.of("parquet", "json", "csv")),
                    benchmark.flag("multi-line", false),
                    columns));
            benchmark.refuseUnknown();
        }
        if (benchmarks.isEmpty()) {
            parameters.wrong("benchmarks", "at least one", "none");
        }
        return new DecontaminateStep(on, parameters.integer("words", 13, 1), benchmarks);
    }

    private static String format(String path) {
        String name = path.replaceFirst("\\.(gz|bz2|zst)$", "");
        return name.endsWith(".parquet") ? "parquet" : name.endsWith(".csv") ? "csv" : "json";
    }

    @Override
    public String files(Stage stage) {
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(stage.spark().sparkContext());
        StringBuilder versions = new StringBuilder();
        benchmarks.forEach(benchmark -> versions.append(InputTable.version(spark, benchmark.paths())));
        return versions.toString();
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> texts = stage.once("benchmarks", () -> texts(stage));
        note(stage, texts);
        Dataset<Row> known = texts.select(
                        col("benchmark"), explode(runs().apply(col("text"))).as("#run"))
                .distinct();
        Dataset<Row> hits = in.select(
                        col(PipelineRow.ROW_ID).as("#hit"),
                        explode(runs().apply(on.of())).as("#run"))
                .distinct()
                .join(known, "#run")
                .groupBy("#hit")
                .agg(
                        min(struct(col("benchmark"), col("#run").as("ngram"))).as("#first"),
                        functions.count_distinct(col("#run")).as("#hits"));
        Column found = col("#hit").isNotNull();
        Dataset<Row> rows = in.join(hits, col(PipelineRow.ROW_ID).equalTo(col("#hit")), "left")
                .withColumn(
                        PipelineRow.CONTAMINATION,
                        when(
                                found,
                                struct(
                                        col("#first.benchmark").as("benchmark"),
                                        col("#first.ngram").as("ngram"),
                                        col("#hits").as("hits"))))
                .withColumn(
                        PipelineRow.REASON, when(found, concat_ws(" ", lit("contaminated"), col("#first.benchmark"))))
                .withColumn(PipelineRow.DETAIL, when(found, col("#first.ngram")));
        return new Made(rows, in.count());
    }

    private void note(Stage stage, Dataset<Row> texts) {
        for (Row benchmark : texts.groupBy("benchmark")
                .agg(
                        functions.count(lit(1)),
                        functions.sum(col("words").lt(words).cast("long")))
                .orderBy("benchmark")
                .collectAsList()) {
            stage.note(benchmark.getString(0) + ": " + benchmark.getLong(1) + " texts, of which " + benchmark.getLong(2)
                    + " have fewer than " + words + " words and cannot match");
        }
    }

    /// All texts of the benchmarks, with their words.
    private Dataset<Row> texts(Stage stage) {
        Dataset<Row> all = null;
        for (Benchmark benchmark : benchmarks) {
            Dataset<Row> rows = reader(stage, benchmark).load(benchmark.paths().toArray(String[]::new));
            for (String column : benchmark.columns()) {
                // in two steps, since a column may be one that explodes
                Dataset<Row> texts = rows.select(
                                lit(benchmark.name()).as("benchmark"),
                                lit(column).as("column"),
                                expr(column).as("text"))
                        .withColumn("text", col("text").cast("string"));
                all = all == null ? texts : all.unionByName(texts);
            }
        }
        if (all == null) {
            throw new JobException("decontaminate: expected benchmarks, got none");
        }
        return all.withColumn("words", count().apply(col("text")));
    }

    private static DataFrameReader reader(Stage stage, Benchmark benchmark) {
        return stage.spark()
                .read()
                .format(benchmark.format())
                .option("header", true)
                .option("escape", "\"")
                .option("multiLine", benchmark.multiLine() || benchmark.format().equals("csv"));
    }

    private static UserDefinedFunction count() {
        UDF1<@Nullable String, Integer> count =
                text -> text == null ? 0 : TextMetrics.words(text).size();
        return functions.udf(count, DataTypes.IntegerType);
    }

    private UserDefinedFunction runs() {
        int n = words;
        UDF1<@Nullable String, String[]> runs = text -> runs(text == null ? "" : text, n);
        return functions.udf(runs, DataTypes.createArrayType(DataTypes.StringType));
    }

    /// All runs of n words, spelt with one space between.
    static String[] runs(String text, int n) {
        List<String> all = TextMetrics.words(text);
        String[] runs = new String[Math.max(0, all.size() - n + 1)];
        for (int start = 0; start < runs.length; start++) {
            runs[start] = String.join(" ", all.subList(start, start + n));
        }
        return runs;
    }
}
