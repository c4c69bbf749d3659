package io.millrace.jobs.report;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.xxhash64;

import io.millrace.jobs.JobException;
import io.millrace.schemas.Columns.Completion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/// The rows of two runs, paired by what they answer: the same input row and sample, or, of inputs that lie
/// elsewhere, the same id of the caller and sample. Read once, where the executors are.
final class RowPairs implements Folding.Sum<RowPairs> {
    private static final long serialVersionUID = 1L;
    private static final int CHANGES = 30;
    private static final String KEY = "key";

    /// Figures of a row; a share is of 0 and 1.
    private static final List<String> FIGURES = List.of(
            "answered",
            "stopped by itself",
            "ROUGE-1",
            "ROUGE-2",
            "ROUGE-L",
            "characters of the answer",
            "completion tokens",
            "prompt tokens",
            "repetition",
            "mean log-probability",
            "one JSON value",
            "as the form asks",
            "prefill and decode, ms");

    private static final int ROUGE_L = 4;

    private final Paired figures;
    private final Smallest<String, Comparison.Change> changes = new Smallest<>(CHANGES);
    private long pairs;
    private long onlyA;
    private long onlyB;
    private long changed;

    private RowPairs(long seed) {
        figures = new Paired(FIGURES, seed);
    }

    /// @param seed of the resamples
    /// @throws JobException if the runs share no row
    static Comparison compare(SparkSession session, RunFolder a, RunFolder b, long seed) {
        Column place = concat_ws(
                "/",
                col(in(Completion.InputRef.COLUMN, Completion.InputRef.FILE)),
                col(in(Completion.InputRef.COLUMN, Completion.InputRef.ROW_GROUP)),
                col(in(Completion.InputRef.COLUMN, Completion.InputRef.ROW)),
                col(Completion.SAMPLE_IDX));
        RowPairs byPlace = read(rows(session, a, place), rows(session, b, place), seed);
        if (byPlace.pairs > 0) {
            return byPlace.comparison("input file, row and sample");
        }
        Column id = concat_ws("/", col(Completion.CUSTOM_ID), col(Completion.SAMPLE_IDX));
        Dataset<Row> rowsA =
                rows(session, a, id).filter(col(Completion.CUSTOM_ID).isNotNull());
        Dataset<Row> rowsB =
                rows(session, b, id).filter(col(Completion.CUSTOM_ID).isNotNull());
        requireUnique(rowsA, a);
        requireUnique(rowsB, b);
        RowPairs byId = read(rowsA, rowsB, seed);
        if (byId.pairs == 0) {
            throw new JobException(String.format(
                    Locale.ROOT,
                    "expected two runs over the same input, got none of %,d rows of %s among the %,d of %s: neither the"
                            + " places in the input (input_ref) nor the callers' ids (custom_id) agree; the first read"
                            + " %s, the second %s",
                    byPlace.onlyA,
                    a.location(),
                    byPlace.onlyB,
                    b.location(),
                    inputs(a),
                    inputs(b)));
        }
        return byId.comparison("the caller's id (custom_id) and sample");
    }

    private static String in(String struct, String field) {
        return struct + "." + field;
    }

    private static String inputs(RunFolder run) {
        List<String> files = new ArrayList<>();
        run.json(RunFolder.aside("run.json"))
                .path("inputs")
                .forEach(input -> files.add(input.path("file").asText()));
        return files.size() > 3 ? files.subList(0, 3) + " and " + (files.size() - 3) + " more" : files.toString();
    }

    private static Dataset<Row> rows(SparkSession session, RunFolder run, Column key) {
        Column text =
                coalesce(col(Completion.OUTPUT_TEXT), col(in(Completion.RowError.COLUMN, Completion.RowError.MESSAGE)));
        return session.read()
                .option("pathGlobFilter", "part-*.parquet")
                .parquet(run.location())
                .select(
                        key.as(KEY),
                        col(Completion.CUSTOM_ID),
                        struct(
                                        col(Completion.STATUS),
                                        col(Completion.FINISH_REASON),
                                        substring(text, 1, 2 * Texts.MOST).as("text"),
                                        xxhash64(text).as("hash"),
                                        substring(col(Completion.REFERENCE), 1, 2 * Texts.MOST)
                                                .as(Completion.REFERENCE),
                                        col(Completion.CUSTOM_ID),
                                        col(Completion.ROUGE1),
                                        col(Completion.ROUGE2),
                                        col(Completion.ROUGE_L),
                                        col(Completion.OUTPUT_CHARS),
                                        col(Completion.COMPLETION_TOKENS),
                                        col(Completion.PROMPT_TOKENS),
                                        col(Completion.REPETITION),
                                        col(Completion.MEAN_LOGPROB),
                                        col(Completion.JSON_VALID),
                                        col(Completion.PARSE_ERROR),
                                        col(in(Completion.Timing.COLUMN, Completion.Timing.PREFILL_MS))
                                                .plus(col(in(Completion.Timing.COLUMN, Completion.Timing.DECODE_MS)))
                                                .as("ms"))
                                .as("row"));
    }

    private static void requireUnique(Dataset<Row> rows, RunFolder run) {
        Row counts = rows.agg(count(lit(1)), countDistinct(KEY)).first();
        if (counts.getLong(0) != counts.getLong(1)) {
            throw new JobException(String.format(
                    Locale.ROOT,
                    "output %s: expected ids (custom_id) that tell rows apart, since the places in the input do not"
                            + " agree; got %,d rows with %,d ids",
                    run.location(),
                    counts.getLong(0),
                    counts.getLong(1)));
        }
    }

    private static RowPairs read(Dataset<Row> a, Dataset<Row> b, long seed) {
        Dataset<Row> both = a.select(col(KEY), col("row").as("a"))
                .join(b.select(col(KEY).as("other"), col("row").as("b")), col(KEY).equalTo(col("other")), "full_outer")
                .select(coalesce(col(KEY), col("other")).as(KEY), col("a"), col("b"));
        return Folding.of(both, new RowPairs(seed));
    }

    @Override
    public void add(RowPairs other) {
        figures.add(other.figures);
        changes.add(other.changes);
        pairs += other.pairs;
        onlyA += other.onlyA;
        onlyB += other.onlyB;
        changed += other.changed;
    }

    @Override
    public void add(Row row) {
        String key = row.getString(0);
        Row a = row.getStruct(1);
        Row b = row.getStruct(2);
        if (a == null || b == null) {
            onlyA += b == null ? 1 : 0;
            onlyB += a == null ? 1 : 0;
            return;
        }
        pairs++;
        double[] ofA = figures(a);
        double[] ofB = figures(b);
        figures.add(hash(key), ofA, ofB);
        boolean sameStatus = a.getAs(Completion.STATUS).equals(b.getAs(Completion.STATUS));
        if (!sameStatus || !Objects.equals(a.getAs("hash"), b.getAs("hash"))) {
            changed++;
            double size = sameStatus ? Math.abs(ofB[ROUGE_L] - ofA[ROUGE_L]) : 1000;
            // the largest change first, then by key
            String rank = String.format(Locale.ROOT, "%08.2f %s", 9999 - (Double.isNaN(size) ? 0 : size), key);
            if (changes.wants(rank)) {
                changes.add(rank, change(key, a, b));
            }
        }
    }

    /// FNV-1a of 64 bits.
    private static long hash(String key) {
        long hash = 0xcbf29ce484222325L;
        for (int at = 0; at < key.length(); at++) {
            hash = (hash ^ key.charAt(at)) * 0x100000001b3L;
        }
        return hash;
    }

    private static Comparison.Change change(String key, Row a, Row b) {
        String id = a.getAs(Completion.CUSTOM_ID);
        return new Comparison.Change(
                id == null ? key : id,
                status(a),
                status(b),
                a.getAs("text"),
                b.getAs("text"),
                a.getAs(Completion.REFERENCE));
    }

    private static String status(Row row) {
        String status = row.getAs(Completion.STATUS);
        String finish = row.getAs(Completion.FINISH_REASON);
        return finish == null || finish.equals(status) ? status : status + ", " + finish;
    }

    private static double[] figures(Row row) {
        boolean ok = row.getAs(Completion.STATUS).equals("ok");
        boolean asked = !row.getAs(Completion.STATUS).equals("skipped");
        return new double[] {
            asked ? bit(ok) : Double.NaN,
            ok ? bit(!"length".equals(row.getAs(Completion.FINISH_REASON))) : Double.NaN,
            number(row, Completion.ROUGE1, 100),
            number(row, Completion.ROUGE2, 100),
            number(row, Completion.ROUGE_L, 100),
            ok ? number(row, Completion.OUTPUT_CHARS, 1) : Double.NaN,
            ok ? number(row, Completion.COMPLETION_TOKENS, 1) : Double.NaN,
            ok ? number(row, Completion.PROMPT_TOKENS, 1) : Double.NaN,
            number(row, Completion.REPETITION, 1),
            number(row, Completion.MEAN_LOGPROB, 1),
            row.getAs(Completion.JSON_VALID) == null ? Double.NaN : bit(row.getAs(Completion.JSON_VALID)),
            ok ? bit(row.getAs(Completion.PARSE_ERROR) == null) : Double.NaN,
            ok ? number(row, "ms", 1) : Double.NaN
        };
    }

    private static double bit(boolean value) {
        return value ? 1 : 0;
    }

    private static double number(Row row, String column, double factor) {
        @Nullable Number value = row.getAs(column);
        return value == null ? Double.NaN : factor * value.doubleValue();
    }

    private Comparison comparison(String by) {
        return new Comparison("Rows", by, pairs, onlyA, onlyB, changed, figures.lines(), List.copyOf(changes.values()));
    }
}
