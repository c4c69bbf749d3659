package io.millrace.quality;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.when;

import com.amazon.deequ.VerificationResult;
import com.amazon.deequ.VerificationSuite;
import com.amazon.deequ.checks.Check;
import com.amazon.deequ.checks.CheckLevel;
import com.amazon.deequ.checks.CheckStatus;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.Option;

/// Whether every input file has as many rows in as out: rows in = ok + error + filtered + skipped. The rows
/// of the output are counted by file and state, those of the input by the plan and, where the input is
/// given, in the input itself; Deequ judges the table of files.
final class Conservation {
    private static final int SHOWN = 10;

    private static final String FILE = "file";
    private static final String PLANNED = "rows_planned";
    private static final String INPUT = "rows_input";
    private static final List<String> STATES = List.of("ok", "error", "filtered", "skipped");
    private static final String IN = "coalesce(" + INPUT + ", " + PLANNED + ", 0)";
    private static final String OUT = "rows_ok + rows_error + rows_filtered + rows_skipped";
    private static final String CONSERVED =
            "(" + IN + ") = (" + OUT + ") and rows_other = 0 and coalesce(" + PLANNED + " = " + INPUT + ", true)";

    private final SparkSession session;
    private final AuditRequest request;

    Conservation(SparkSession session, AuditRequest request) {
        this.session = session;
        this.request = request;
    }

    /// @param flat rows of the output
    RuleResult judge(Rule rule, Dataset<Row> flat) {
        if (request.expectedRowsByFile().isEmpty() && request.input().isEmpty()) {
            return result(rule, Status.NOT_JUDGED, rule.words(), null, "planned rows by file were not given");
        }
        Dataset<Row> files = files(flat).cache();
        try {
            Check check = new Check(CheckLevel.Error(), rule.name(), Constraints.nil())
                    .satisfies(
                            CONSERVED,
                            rule.name(),
                            share -> ((Number) share).doubleValue() == 1.0,
                            Option.empty(),
                            Constraints.nil(),
                            Option.empty());
            VerificationResult measured =
                    new VerificationSuite().onData(files).addCheck(check).run();
            String words = rule.words() + words(files);
            if (measured.status().equals(CheckStatus.Success())) {
                return result(rule, Status.PASS, words, 0.0, "");
            }
            Dataset<Row> faults = files.filter(not(expr(CONSERVED))).orderBy(FILE);
            return result(rule, Status.FAIL, words, (double) faults.count(), message(faults));
        } finally {
            files.unpersist();
        }
    }

    /// One row per input file: what went in and what came out.
    private Dataset<Row> files(Dataset<Row> flat) {
        Dataset<Row> files = out(flat).join(planned(), col(FILE).equalTo(col("file_planned")), "full_outer");
        files = files.withColumn(FILE, coalesce(col(FILE), col("file_planned"))).drop("file_planned");
        if (request.input().isEmpty()) {
            files = files.withColumn(INPUT, lit(null).cast(DataTypes.LongType));
        } else {
            files = files.join(input(), col(FILE).equalTo(col("file_input")), "full_outer");
            files = files.withColumn(FILE, coalesce(col(FILE), col("file_input")))
                    .drop("file_input");
        }
        for (String counted : STATES) {
            files = files.withColumn("rows_" + counted, coalesce(col("rows_" + counted), lit(0L)));
        }
        return files.withColumn("rows_other", coalesce(col("rows_other"), lit(0L)));
    }

    private static Dataset<Row> out(Dataset<Row> flat) {
        List<Column> counts = new ArrayList<>();
        for (String state : STATES) {
            counts.add(count(when(col("status").equalTo(state), 1)).as("rows_" + state));
        }
        counts.add(count(when(not(coalesce(col("status"), lit("")).isin(STATES.toArray())), 1))
                .as("rows_other"));
        // a row without a file counts under an empty name
        return flat.groupBy(coalesce(col(Expectation.RowsPerInputFile.FILE_COLUMN), lit(""))
                        .as(FILE))
                .agg(counts.getFirst(), counts.subList(1, counts.size()).toArray(Column[]::new));
    }

    private Dataset<Row> planned() {
        return counts("file_planned", PLANNED, request.expectedRowsByFile());
    }

    /// Rows of the input as this process finds them, times samples.
    private Dataset<Row> input() {
        Dataset<Row> counted = read().groupBy(input_file_name().as("uri")).count();
        Map<String, Long> rows = new TreeMap<>();
        for (Row file : counted.collectAsList()) {
            // one spelling of a file's name, readable, as the producer has it
            rows.put(
                    new Path(URI.create(file.getString(0))).toString(),
                    Math.multiplyExact(file.getLong(1), request.samples()));
        }
        return counts("file_input", INPUT, rows);
    }

    private Dataset<Row> read() {
        try {
            return session.read()
                    .parquet(request.input().stream()
                            .map(Conservation::literally)
                            .toArray(String[]::new));
        } catch (Exception e) {
            // Scala throws the checked AnalysisException without declaring it
            throw new AuditException(
                    "input " + request.input() + ": cannot be read as Parquet: " + Audit.explain(e), e);
        }
    }

    /// A path that Hadoop does not take for a pattern.
    private static String literally(String path) {
        return path.replaceAll("([{}\\[\\]*?\\\\])", "\\\\$1");
    }

    private Dataset<Row> counts(String file, String rows, Map<String, Long> counts) {
        StructType schema = new StructType().add(file, DataTypes.StringType).add(rows, DataTypes.LongType);
        List<Row> table = new ArrayList<>();
        counts.forEach((name, number) -> table.add(RowFactory.create(name, number)));
        return session.createDataFrame(table, schema);
    }

    private static String words(Dataset<Row> files) {
        Row sums = files.selectExpr("count(1)", "coalesce(sum(" + IN + "), 0)").head();
        return " (" + sums.getLong(0) + " files, " + sums.getLong(1) + " rows)";
    }

    private static String message(Dataset<Row> faults) {
        List<String> shown = new ArrayList<>();
        for (Row fault : faults.limit(SHOWN).collectAsList()) {
            shown.add(describe(fault));
        }
        long more = faults.count() - shown.size();
        return faults.count() + " file(s) with a wrong count: " + String.join("; ", shown)
                + (more > 0 ? "; and " + more + " more" : "");
    }

    private static String describe(Row fault) {
        Long planned = fault.getAs(PLANNED);
        Long input = fault.getAs(INPUT);
        String file = fault.getAs(FILE);
        long out = 0;
        for (String state : STATES) {
            out += fault.<Long>getAs("rows_" + state);
        }
        out += fault.<Long>getAs("rows_other");
        if (planned == null && input == null) {
            return file + ": not planned, got " + out + " rows";
        }
        if (planned != null && input != null && !planned.equals(input)) {
            return file + ": planned " + planned + " rows, the input has " + input + ", got " + out;
        }
        return file + ": expected " + (input == null ? planned : input) + " rows, got " + out;
    }

    private static RuleResult result(Rule rule, Status status, String words, @Nullable Double actual, String message) {
        return new RuleResult(rule, status, words, actual, message, null, List.of());
    }
}
