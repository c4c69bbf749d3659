package io.millrace.jobs.report;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import io.millrace.schemas.Columns.Completion;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.PrimitiveIterator;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/// What the rows of an output are, taken together: read once, where the executors are, into counts,
/// distributions and a few examples whose size does not depend on the number of rows. Confined to one
/// thread.
final class RowProfile implements Folding.Sum<RowProfile> {
    private static final long serialVersionUID = 1L;
    private static final int ANSWERS = 6;
    private static final int ERRORS_EACH = 3;
    /// Kinds of errors of which examples are kept; codes are few, but a server may say anything.
    private static final int MOST_KINDS = 100;
    /// Answers that are read as candidates for {@link #ANSWERS}, of all rows.
    private static final double CANDIDATES = 200;

    /// What is told of the answered rows.
    enum Measure {
        PROMPT_TOKENS("prompt tokens", 1),
        CACHED_TOKENS("of these from a cache", 1),
        COMPLETION_TOKENS("completion tokens", 1),
        REASONING_TOKENS("of these reasoning", 1),
        SOURCE_CHARS("characters of the source", 1),
        OUTPUT_CHARS("characters of the answer", 1),
        QUEUED_MS("queued, ms", 0.001),
        PREFILL_MS("prefill, ms", 0.001),
        DECODE_MS("decode, ms", 0.001),
        ALL_MS("all three, ms", 0.001);

        private final String title;
        private final double unit;

        Measure(String title, double unit) {
            this.title = title;
            this.unit = unit;
        }

        String title() {
            return title;
        }
    }

    /// Names of the figures of {@link #rouge}.
    static final List<String> ROUGE = List.of("ROUGE-1", "ROUGE-2", "ROUGE-L");

    /// Some row.
    ///
    /// @param place input file, row group, row and sample
    /// @param text the answer, or of an error row its message
    /// @param beside the reference, or of an error row the raw input
    record Example(
            String place,
            @Nullable String customId,
            @Nullable String text,
            @Nullable String beside) implements Serializable {}

    /// Errors of one kind.
    static final class Kind implements Serializable {
        private static final long serialVersionUID = 1L;
        private long rows;
        private long retryable;
        private final Smallest<String, Example> examples = new Smallest<>(ERRORS_EACH);

        long rows() {
            return rows;
        }

        long retryable() {
            return retryable;
        }

        Iterable<Example> examples() {
            return examples.values();
        }

        private void add(Kind other) {
            rows += other.rows;
            retryable += other.retryable;
            examples.add(other.examples);
        }
    }

    private final EnumMap<Measure, Distribution> distributions = new EnumMap<>(Measure.class);
    private final SortedMap<String, SortedMap<String, Long>> byFile = new TreeMap<>();
    private final SortedMap<String, Long> finishes = new TreeMap<>();
    private final SortedMap<String, Long> devices = new TreeMap<>();
    private final SortedMap<String, Kind> errors = new TreeMap<>();
    private final Smallest<String, Example> answers = new Smallest<>(ANSWERS);
    private final Resamples rouge;
    private long rows;

    RowProfile(long seed) {
        for (Measure measure : Measure.values()) {
            distributions.put(measure, new Distribution(measure.unit));
        }
        rouge = new Resamples(ROUGE.size(), seed);
    }

    /// Reads an output.
    ///
    /// @param expected about how many rows it has
    /// @param seed of the resamples
    static RowProfile read(SparkSession session, String output, long expected, long seed) {
        Dataset<Row> rows = session.read()
                .option("pathGlobFilter", "part-*.parquet")
                .parquet(output)
                .select(columns(expected));
        return Folding.of(rows, new RowProfile(seed));
    }

    /// Of texts only what an example may show, and of answers only enough for examples: request ids are
    /// hashes, so those with small ones are any rows.
    private static Column[] columns(long expected) {
        String bound = String.format(Locale.ROOT, "%08x", (long)
                (0xFFFFFFFFL * Math.min(1, CANDIDATES / Math.max(1, expected))));
        Column shown = col(Completion.REQUEST_ID).leq(lit(bound + "g"));
        return new Column[] {
            col(Completion.REQUEST_ID),
            col(Completion.CUSTOM_ID),
            col(in(Completion.InputRef.COLUMN, Completion.InputRef.FILE)).as("file"),
            col(in(Completion.InputRef.COLUMN, Completion.InputRef.ROW_GROUP)).as("row_group"),
            col(in(Completion.InputRef.COLUMN, Completion.InputRef.ROW)).as("row"),
            col(Completion.SAMPLE_IDX),
            col(Completion.STATUS),
            col(Completion.FINISH_REASON),
            col(in(Completion.RowError.COLUMN, Completion.RowError.CLASS)).as("class"),
            col(in(Completion.RowError.COLUMN, Completion.RowError.CODE)).as("code"),
            col(in(Completion.RowError.COLUMN, Completion.RowError.RETRYABLE)).as("retryable"),
            substring(col(in(Completion.RowError.COLUMN, Completion.RowError.MESSAGE)), 1, 2 * Texts.MOST)
                    .as("message"),
            substring(col(in(Completion.RowError.COLUMN, Completion.RowError.RAW)), 1, 2 * Texts.MOST)
                    .as("raw"),
            when(shown, substring(col(Completion.OUTPUT_TEXT), 1, 2 * Texts.MOST))
                    .as(Completion.OUTPUT_TEXT),
            when(shown, substring(col(Completion.REFERENCE), 1, 2 * Texts.MOST)).as(Completion.REFERENCE),
            col(Completion.PROMPT_TOKENS),
            col(Completion.CACHED_TOKENS),
            col(Completion.COMPLETION_TOKENS),
            col(Completion.REASONING_TOKENS),
            col(Completion.SOURCE_CHARS),
            col(Completion.OUTPUT_CHARS),
            col(in(Completion.Timing.COLUMN, Completion.Timing.QUEUED_MS)).as("queued"),
            col(in(Completion.Timing.COLUMN, Completion.Timing.PREFILL_MS)).as("prefill"),
            col(in(Completion.Timing.COLUMN, Completion.Timing.DECODE_MS)).as("decode"),
            col(Completion.ROUGE1),
            col(Completion.ROUGE2),
            col(Completion.ROUGE_L),
            col(in(Completion.Engine.COLUMN, Completion.Engine.DEVICE)).as("device"),
            col(in(Completion.Engine.COLUMN, Completion.Engine.KERNEL_RING)).as("ring"),
        };
    }

    private static String in(String struct, String field) {
        return struct + "." + field;
    }

    @Override
    public void add(Row row) {
        rows++;
        String status = row.getAs(Completion.STATUS);
        byFile.computeIfAbsent(row.getAs("file"), _ -> new TreeMap<>()).merge(status, 1L, Long::sum);
        finishes.merge(String.valueOf(row.<String>getAs(Completion.FINISH_REASON)), 1L, Long::sum);
        if (status.equals("ok")) {
            addAnswer(row);
        } else if (row.getAs("code") != null) {
            addError(row);
        }
    }

    private void addAnswer(Row row) {
        devices.merge(row.getAs("device") + ", " + row.getAs("ring"), 1L, Long::sum);
        double queued = row.<Double>getAs("queued");
        double prefill = row.<Double>getAs("prefill");
        double decode = row.<Double>getAs("decode");
        // in the order of the measures
        PrimitiveIterator.OfDouble values = DoubleStream.of(
                        row.<Integer>getAs(Completion.PROMPT_TOKENS),
                        row.<Integer>getAs(Completion.CACHED_TOKENS),
                        row.<Integer>getAs(Completion.COMPLETION_TOKENS),
                        row.<Integer>getAs(Completion.REASONING_TOKENS),
                        row.<Integer>getAs(Completion.SOURCE_CHARS),
                        row.<Integer>getAs(Completion.OUTPUT_CHARS),
                        queued,
                        prefill,
                        decode,
                        queued + prefill + decode)
                .iterator();
        for (Measure measure : Measure.values()) {
            of(measure).add(values.next());
        }
        String requestId = row.getAs(Completion.REQUEST_ID);
        if (row.getAs(Completion.ROUGE1) != null) {
            rouge.add(
                    Long.parseUnsignedLong(requestId.substring(0, 16), 16),
                    100 * row.<Double>getAs(Completion.ROUGE1),
                    100 * row.<Double>getAs(Completion.ROUGE2),
                    100 * row.<Double>getAs(Completion.ROUGE_L));
        }
        if (row.getAs(Completion.OUTPUT_TEXT) != null && answers.wants(requestId)) {
            answers.add(requestId, example(row, row.getAs(Completion.OUTPUT_TEXT), row.getAs(Completion.REFERENCE)));
        }
    }

    private void addError(Row row) {
        String name = row.getAs("class") + " / " + row.getAs("code");
        if (errors.size() >= MOST_KINDS && !errors.containsKey(name)) {
            name = "further kinds";
        }
        Kind kind = errors.computeIfAbsent(name, _ -> new Kind());
        kind.rows++;
        kind.retryable += Boolean.TRUE.equals(row.getAs("retryable")) ? 1 : 0;
        String requestId = row.getAs(Completion.REQUEST_ID);
        if (kind.examples.wants(requestId)) {
            kind.examples.add(requestId, example(row, row.getAs("message"), row.getAs("raw")));
        }
    }

    private static Example example(Row row, @Nullable String text, @Nullable String beside) {
        String place = row.getAs("file") + " row group " + row.getAs("row_group") + " row " + row.getAs("row")
                + (row.<Integer>getAs(Completion.SAMPLE_IDX) == 0 ? "" : " sample " + row.getAs(Completion.SAMPLE_IDX));
        return new Example(place, row.getAs(Completion.CUSTOM_ID), text, beside);
    }

    @Override
    public void add(RowProfile other) {
        rows += other.rows;
        other.distributions.forEach((measure, distribution) -> of(measure).add(distribution));
        other.byFile.forEach((file, counts) -> {
            SortedMap<String, Long> own = byFile.computeIfAbsent(file, _ -> new TreeMap<>());
            counts.forEach((status, count) -> own.merge(status, count, Long::sum));
        });
        other.finishes.forEach((finish, count) -> finishes.merge(finish, count, Long::sum));
        other.devices.forEach((device, count) -> devices.merge(device, count, Long::sum));
        other.errors.forEach(
                (name, kind) -> errors.computeIfAbsent(name, _ -> new Kind()).add(kind));
        answers.add(other.answers);
        rouge.add(other.rouge);
    }

    long rows() {
        return rows;
    }

    Distribution distribution(Measure measure) {
        return of(measure);
    }

    private Distribution of(Measure measure) {
        return Objects.requireNonNull(distributions.get(measure), "there is one for each measure");
    }

    /// Input file, as rows name it, to status to rows.
    Map<String, SortedMap<String, Long>> byFile() {
        return byFile;
    }

    /// Finish reason to rows.
    Map<String, Long> finishes() {
        return finishes;
    }

    /// Device and ring to answered rows.
    Map<String, Long> devices() {
        return devices;
    }

    /// `class / code` to what there is of it.
    Map<String, Kind> errors() {
        return errors;
    }

    Iterable<Example> answers() {
        return answers.values();
    }

    /// The mean of a score in [0, 100] over the rows that have one.
    ///
    /// @param score index in {@link #ROUGE}
    Resamples.Interval rouge(int score) {
        return rouge.interval(score);
    }
}
