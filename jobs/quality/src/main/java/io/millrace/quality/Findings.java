package io.millrace.quality;

import com.amazon.deequ.VerificationResult;
import com.amazon.deequ.checks.Check;
import com.amazon.deequ.checks.CheckResult;
import io.millrace.quality.Verdict.FailingRow;
import io.millrace.schemas.AuditExchange.Quarantine;
import io.millrace.schemas.Columns.Completion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.Map$;

/// Which rows break a rule. Deequ's own row-level results answer for rules about rows; for rules about a
/// number over all rows, the rows on the wrong side of the bound are shown.
final class Findings {

    /// Examples kept per rule.
    static final int EXAMPLES = 20;

    private static final int EXCERPT_CHARS = 160;
    private static final String BROKEN = "rule/broken";
    /// What tells rows apart.
    private static final List<String> IDENTITY = List.of(
            "input_ref.file",
            "input_ref.row_group",
            "input_ref.row",
            Completion.SAMPLE_IDX,
            Completion.REQUEST_ID,
            Completion.CUSTOM_ID);
    private static final String ERROR_MESSAGE = "error_message";

    private final Dataset<Row> output;
    private final Dataset<Row> flat;
    private final List<String> columns;

    /// @param output the rows
    /// @param flat the same with structs taken apart
    Findings(Dataset<Row> output, Dataset<Row> flat) {
        this.output = output;
        this.flat = flat;
        this.columns = Arrays.asList(flat.columns());
    }

    /// @param failingRows null when the rule is about no row in particular
    /// @param note to append to the message; empty, or starting with a separator
    record Found(@Nullable Long failingRows, List<FailingRow> examples, String note) {}

    Found find(Rule rule, VerificationResult measured, Check check) {
        String note = rule.expectation() instanceof Expectation.SingleValued it ? "; " + valuesOf(it) : "";
        Dataset<Row> marked = marked(rule, measured, check);
        if (marked == null) {
            return new Found(null, List.of(), note);
        }
        Dataset<Row> broken = marked.filter(functions.col(BROKEN));
        long count = broken.count();
        String rows = count == 0 ? "" : "; " + count + (count == 1 ? " row breaks it" : " rows break it");
        return new Found(count, count == 0 ? List.of() : examples(broken), note + rows);
    }

    /// Whether the rule narrows its rows and none is left.
    boolean isAboutNoRow(Rule rule) {
        String where = rule.where();
        return where != null && flat.filter(where).isEmpty();
    }

    /// Writes the rows that break at least one of the rules, with the names of the rules and of the file that
    /// holds the row, sorted by file and place.
    ///
    /// @return rows written
    long quarantine(Map<Rule, Check> failed, VerificationResult measured, String path) {
        List<String> keys =
                IDENTITY.stream().filter(key -> columns.contains(flat(key))).toList();
        Dataset<Row> rules = rulesByRow(failed, measured, keys);
        if (rules == null) {
            return 0;
        }
        Column[] order = Stream.concat(Stream.of(Quarantine.OUTPUT_FILE), keys.stream())
                .map(functions::col)
                .toArray(Column[]::new);
        try {
            withRules(rules, keys)
                    .repartition(1)
                    .sortWithinPartitions(order)
                    .write()
                    .mode(SaveMode.ErrorIfExists)
                    .parquet(path);
        } catch (Exception e) {
            // Scala throws the checked AnalysisException without declaring it
            throw new AuditException("quarantine " + path + ": cannot be written: " + Audit.explain(e), e);
        }
        return flat.sparkSession().read().parquet(path).count();
    }

    /// Identity of each broken row and the names of the rules; null when no rule is about rows.
    private @Nullable Dataset<Row> rulesByRow(Map<Rule, Check> failed, VerificationResult measured, List<String> keys) {
        Column[] identity =
                keys.stream().map(key -> column(flat(key)).as(broken(key))).toArray(Column[]::new);
        Dataset<Row> all = null;
        for (Map.Entry<Rule, Check> entry : failed.entrySet()) {
            Dataset<Row> marked = marked(entry.getKey(), measured, entry.getValue());
            if (marked != null) {
                Dataset<Row> rows = marked.filter(functions.col(BROKEN))
                        .select(identity)
                        .withColumn("rule", functions.lit(entry.getKey().name()));
                all = all == null ? rows : all.union(rows);
            }
        }
        Column[] groups = keys.stream().map(key -> column(broken(key))).toArray(Column[]::new);
        return all == null
                ? null
                : all.groupBy(groups)
                        .agg(functions.sort_array(functions.collect_set("rule")).as(Quarantine.RULES));
    }

    /// The whole rows of those.
    private Dataset<Row> withRules(Dataset<Row> rules, List<String> keys) {
        Column same = functions.lit(true);
        for (String key : keys) {
            same = same.and(functions.col(key).eqNullSafe(column(broken(key))));
        }
        Column file = functions.element_at(functions.split(functions.input_file_name(), "/"), -1);
        return output.withColumn(Quarantine.OUTPUT_FILE, file)
                .join(rules, same)
                .drop(keys.stream().map(Findings::broken).toArray(String[]::new));
    }

    /// Name of a column of identity beside the rows' own.
    private static String broken(String key) {
        return "broken/" + flat(key);
    }

    private static String flat(String path) {
        return path.replace('.', '_');
    }

    /// The rows with a Boolean column that is true where the rule is broken; null when no row breaks it by
    /// itself.
    private @Nullable Dataset<Row> marked(Rule rule, VerificationResult measured, Check check) {
        Dataset<Row> marked = switch (rule.expectation()) {
            case Expectation.Complete _,
                    Expectation.Unique _,
                    Expectation.Compliance _,
                    Expectation.ContainedIn _,
                    Expectation.Pattern _ -> rowLevel(rule, measured, check);
            case Expectation.Distinct it -> repeated(it, rule.where());
            case Expectation.SingleValued it -> unusual(it);
            case Expectation.Statistic it -> outside(it);
            case Expectation.Size _, Expectation.RowsPerInputFile _, Expectation.Drift _ -> null;
        };
        if (marked == null || rule.where() == null) {
            return marked;
        }
        Column about = functions.coalesce(functions.expr(rule.where()), functions.lit(false));
        return marked.withColumn(BROKEN, functions.col(BROKEN).and(about));
    }

    private @Nullable Dataset<Row> rowLevel(Rule rule, VerificationResult measured, Check check) {
        CheckResult result = measured.checkResults().apply(check);
        VerificationResult one = new VerificationResult(
                measured.status(),
                Map$.MODULE$.<Check, CheckResult>empty().$plus(scala.Tuple2.apply(check, result)),
                measured.metrics());
        Dataset<Row> rows = VerificationResult.rowLevelResultsAsDataFrame(flat.sparkSession(), one, flat);
        String column = Constraints.columnOf(rule);
        if (!Arrays.asList(rows.columns()).contains(column)) {
            return null;
        }
        Column holds = functions.col(FlatRows.quoted(column)).cast("boolean");
        return rows.withColumn(BROKEN, functions.not(functions.coalesce(holds, functions.lit(false))));
    }

    private Dataset<Row> repeated(Expectation.Distinct it, @Nullable String where) {
        Column[] group = it.columns().stream().map(Findings::column).toArray(Column[]::new);
        Column any =
                Arrays.stream(group).map(Column::isNotNull).reduce(Column::or).orElseThrow();
        Column counted = where == null ? any : any.and(functions.expr(where));
        Column same = functions.count(functions.when(counted, 1)).over(Window.partitionBy(group));
        return flat.withColumn(BROKEN, same.gt(1).and(any));
    }

    private @Nullable Dataset<Row> unusual(Expectation.SingleValued it) {
        List<Row> values = values(it, 1);
        if (values.isEmpty()) {
            return null;
        }
        Row usual = values.getFirst();
        Column same = functions.lit(true);
        for (int index = 0; index < it.columns().size(); index++) {
            same = same.and(column(it.columns().get(index)).eqNullSafe(functions.lit(usual.get(index))));
        }
        return flat.withColumn(BROKEN, functions.not(same));
    }

    private @Nullable Dataset<Row> outside(Expectation.Statistic it) {
        boolean oneRowShows = switch (it.measure()) {
            case MIN, MAX, QUANTILE -> true;
            case MEAN, SUM -> false;
        };
        if (!oneRowShows) {
            return null;
        }
        Column value = column(it.column());
        Column outside = functions.lit(false);
        if (it.bounds().atLeast() != null) {
            outside = outside.or(value.lt(it.bounds().atLeast()));
        }
        if (it.bounds().atMost() != null) {
            outside = outside.or(value.gt(it.bounds().atMost()));
        }
        return flat.withColumn(BROKEN, functions.coalesce(outside, functions.lit(false)));
    }

    private String valuesOf(Expectation.SingleValued it) {
        List<String> lines = new ArrayList<>();
        for (Row row : values(it, 5)) {
            List<String> fields = new ArrayList<>();
            for (int index = 0; index < it.columns().size(); index++) {
                fields.add(String.valueOf(row.get(index)));
            }
            lines.add(String.join(" + ", fields) + " in "
                    + row.getLong(it.columns().size()) + " rows");
        }
        return String.join(", ", lines);
    }

    /// The most frequent values with their row counts.
    private List<Row> values(Expectation.SingleValued it, int limit) {
        Column[] group = it.columns().stream().map(Findings::column).toArray(Column[]::new);
        List<Column> order = new ArrayList<>(List.of(functions.col("count").desc()));
        order.addAll(Arrays.asList(group));
        return flat.groupBy(group)
                .count()
                .orderBy(order.toArray(Column[]::new))
                .limit(limit)
                .collectAsList();
    }

    private List<FailingRow> examples(Dataset<Row> broken) {
        Column text = columnOrNull(Completion.OUTPUT_TEXT, "string");
        Column excerpt = functions.coalesce(text, columnOrNull(ERROR_MESSAGE, "string"));
        Column[] shown = {
            columnOrNull(Completion.REQUEST_ID, "string").as("id"),
            columnOrNull("input_ref_file", "string").as("file"),
            columnOrNull("input_ref_row_group", "int").as("row_group"),
            columnOrNull("input_ref_row", "bigint").as("row"),
            columnOrNull(Completion.SAMPLE_IDX, "int").as("sample"),
            columnOrNull(Completion.STATUS, "string").as("status"),
            functions.substring(excerpt, 1, EXCERPT_CHARS).as("excerpt")
        };
        return broken
                .select(shown)
                .orderBy("id", "file", "row_group", "row", "sample")
                .limit(EXAMPLES)
                .collectAsList()
                .stream()
                .map(Findings::failingRow)
                .toList();
    }

    private Column columnOrNull(String name, String type) {
        Column column = columns.contains(name) ? column(name) : functions.lit(null);
        return column.cast(type);
    }

    private static Column column(String name) {
        return functions.col(FlatRows.quoted(name));
    }

    private static FailingRow failingRow(Row row) {
        return new FailingRow(
                row.getString(0),
                row.getString(1),
                row.isNullAt(2) ? null : row.getInt(2),
                row.isNullAt(3) ? null : row.getLong(3),
                row.isNullAt(4) ? null : row.getInt(4),
                row.getString(5),
                row.isNullAt(6) ? null : printable(row.getString(6)));
    }

    /// Control characters as a visible dot, so that an excerpt cannot move a terminal's cursor.
    static String printable(String text) {
        return text.codePoints()
                .map(point -> Character.isISOControl(point) ? 0xB7 : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
