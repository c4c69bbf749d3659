package io.millrace.jobs.summarize;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.InputTable;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.StageFolders;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.InputColumns;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/// How good the summaries of a committed output are, beside the lead of their documents: a row for each
/// document in a table beside the output, and the means with their bounds for a person and in
/// `report.json`. Follows from the input and the output, and is made anew each time.
final class Report {
    /// The table's folder, beside the output's manifest.
    private static final String TABLE = "summaries";

    private static final String FILE = "report.json";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> TITLES = Map.ofEntries(
            Map.entry("rouge1", "ROUGE-1"),
            Map.entry("rouge2", "ROUGE-2"),
            Map.entry("rougeL", "ROUGE-L"),
            Map.entry("rougeLsum", "ROUGE-Lsum"),
            Map.entry("chrf", "chrF"),
            Map.entry("rouge1_icu", "ROUGE-1, ICU's words"),
            Map.entry("rouge2_icu", "ROUGE-2, ICU's words"),
            Map.entry("rougeL_icu", "ROUGE-L, ICU's words"),
            Map.entry("copied_4grams", "copied 4-grams, %"),
            Map.entry("longest_run", "longest copy, words"),
            Map.entry("coverage", "words in copies, %"),
            Map.entry("length_ratio", "length of source, %"));

    private final SparkSession session;
    private final JobConfig config;
    private final SummarizeConfig summarize;
    private final StageFolders folders;

    Report(SparkSession session, JobConfig config, SummarizeConfig summarize, StageFolders folders) {
        this.session = session;
        this.config = config;
        this.summarize = summarize;
        this.folders = folders;
    }

    /// @param input of the run that wrote the output
    /// @param chunked whether the input has columns of chunks and of what was left out
    void write(InputTable input, boolean chunked, PrintWriter out) {
        boolean referenced = config.input().referenceColumn() != null;
        MeasureSummaries measure = new MeasureSummaries(summarize.leadSentences(), referenced);
        String table = folders.aside(TABLE);
        session.createDataFrame(pairs(input, chunked).toJavaRDD().map(measure), MeasureSummaries.SCHEMA)
                .coalesce(1)
                .write()
                .mode("overwrite")
                .parquet(table);
        List<Row> rows = session.read()
                .parquet(table)
                .orderBy("file", "row_group", "row")
                .select(MeasureSummaries.SUMMARY, MeasureSummaries.LEAD, MeasureSummaries.CHUNK_COVERAGE)
                .collectAsList();
        tell(rows, out);
    }

    /// Each first answer beside what it answers.
    private Dataset<Row> pairs(InputTable input, boolean chunked) {
        Dataset<Row> asked = session.createDataFrame(input.read(), input.schema());
        Dataset<Row> answered = session.read()
                .parquet(folders.output())
                .filter(col(Completion.SAMPLE_IDX).equalTo(0))
                .select(
                        col(field(Completion.InputRef.FILE)).as("file"),
                        col(field(Completion.InputRef.ROW_GROUP)).as("row_group"),
                        col(field(Completion.InputRef.ROW)).as("row"),
                        col(Completion.CUSTOM_ID),
                        col(Completion.STATUS),
                        col(Completion.OUTPUT_TEXT));
        Column same = asked.col(quoted(InputColumns.FILE))
                .equalTo(answered.col("file"))
                .and(asked.col(quoted(InputColumns.ROW_GROUP)).equalTo(answered.col("row_group")))
                .and(asked.col(quoted(InputColumns.ROW)).equalTo(answered.col("row")));
        Column none = lit(null).cast("string");
        return asked.join(answered, same)
                .select(
                        col("file"),
                        col("row_group"),
                        col("row"),
                        col(Completion.CUSTOM_ID),
                        col(Completion.STATUS),
                        col(Completion.OUTPUT_TEXT),
                        col(quoted(InputColumns.TEXT)),
                        col(quoted(InputColumns.REFERENCE)),
                        chunked ? col(LastRequest.CHUNKS) : none,
                        chunked ? col(LastRequest.LEFT_OUT) : none);
    }

    private static String field(String name) {
        return Completion.InputRef.COLUMN + "." + name;
    }

    private static String quoted(String name) {
        return "`" + name + "`";
    }

    private void tell(List<Row> rows, PrintWriter out) {
        ObjectNode report = JSON.createObjectNode();
        report.put("documents", rows.size());
        report.put("lead_sentences", summarize.leadSentences());
        report.put("strategy", String.valueOf(summarize.keys().get("strategy")));
        String lead = "lead of " + summarize.leadSentences();
        out.println(String.format(Locale.ROOT, "%n%-22s%-28s%-28s%s", "", "summaries", lead, "difference"));
        for (int measure = 0; measure < Measures.NAMES.size(); measure++) {
            String name = Measures.NAMES.get(measure);
            Bootstrap summaries = bootstrap(rows, 0, -1, measure);
            if (summaries == null) {
                continue;
            }
            Bootstrap leads = bootstrap(rows, 1, -1, measure);
            Bootstrap difference = bootstrap(rows, 0, 1, measure);
            ObjectNode node = report.putObject(name);
            node.set("summaries", JSON.valueToTree(summaries));
            node.set("lead", JSON.valueToTree(leads));
            node.set("difference", JSON.valueToTree(difference));
            out.println(String.format(
                    Locale.ROOT,
                    "%-22s%-28s%-28s%s",
                    TITLES.get(name),
                    shown(summaries),
                    shown(leads),
                    shown(difference)));
        }
        double[] chunks = rows.stream()
                .filter(row -> !row.isNullAt(2))
                .mapToDouble(row -> row.getDouble(2))
                .toArray();
        if (chunks.length > 0) {
            Bootstrap covered = Bootstrap.of(chunks, config.sampling().seed());
            report.putObject(MeasureSummaries.CHUNK_COVERAGE).set("summaries", JSON.valueToTree(covered));
            out.println(String.format(Locale.ROOT, "%-22s%s", "chunks drawn from, %", shown(covered)));
        }
        out.println("means of " + rows.size() + " documents with the bounds of 95 % of 1,000 resamples; a document"
                + " without a summary scores 0");
        out.println("table             " + folders.aside(TABLE));
        out.flush();
        folders.writeAside(FILE, report.toPrettyString());
    }

    /// @param minus which column is subtracted, -1 for none
    private @Nullable Bootstrap bootstrap(List<Row> rows, int column, int minus, int measure) {
        List<Double> values = new ArrayList<>();
        for (Row row : rows) {
            Row one = row.getStruct(column);
            Row other = minus < 0 ? null : row.getStruct(minus);
            if (!one.isNullAt(measure) && (other == null || !other.isNullAt(measure))) {
                values.add(one.getDouble(measure) - (other == null ? 0 : other.getDouble(measure)));
            }
        }
        return values.isEmpty()
                ? null
                : Bootstrap.of(
                        values.stream().mapToDouble(Double::doubleValue).toArray(),
                        config.sampling().seed());
    }

    private static String shown(@Nullable Bootstrap value) {
        return value == null
                ? ""
                : String.format(Locale.ROOT, "%.2f [%.2f, %.2f]", value.mean(), value.low(), value.high());
    }
}
