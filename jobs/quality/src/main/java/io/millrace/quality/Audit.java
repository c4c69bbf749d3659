package io.millrace.quality;

import com.amazon.deequ.VerificationResult;
import com.amazon.deequ.VerificationRunBuilder;
import com.amazon.deequ.VerificationSuite;
import com.amazon.deequ.analyzers.Analyzer;
import com.amazon.deequ.analyzers.Size;
import com.amazon.deequ.analyzers.runners.EmptyStateException;
import com.amazon.deequ.checks.Check;
import com.amazon.deequ.checks.CheckResult;
import com.amazon.deequ.constraints.ConstraintResult;
import com.amazon.deequ.constraints.ConstraintStatus;
import com.amazon.deequ.metrics.Metric;
import com.amazon.deequ.repository.ResultKey;
import com.amazon.deequ.repository.fs.FileSystemMetricsRepository;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.Option;
import scala.collection.JavaConverters;
import scala.util.Try;

/// Judges one committed output. Reads only; writes what the request names and nothing else.
///
/// 1. The rules are read and held against the columns before any row is: all misfits are reported together.
/// 2. Deequ measures all rules in as few passes as it can; what compares files is measured on a table of them.
/// 3. Only for rules that failed are the rows looked up that break them.
final class Audit {

    private static final String ABORTED = "Job aborted due to stage failure";

    private final SparkSession session;
    private final InstantSource clock;

    Audit(SparkSession session, InstantSource clock) {
        this.session = session;
        this.clock = clock;
    }

    /// As [#run(AuditRequest)], but what goes wrong becomes a verdict of [Verdict.Outcome#ERROR].
    Verdict judge(AuditRequest request) {
        try {
            return run(request);
        } catch (AuditException e) {
            return Verdict.error(e.getMessage(), request.tags());
        } catch (Exception e) {
            // Scala throws checked exceptions without declaring them; whoever asked must get an answer
            return Verdict.error("audit of " + request.output() + ": " + explain(e), request.tags());
        }
    }

    /// @throws AuditException when there can be no verdict
    Verdict run(AuditRequest request) {
        Path file = request.rules();
        return run(request, file == null ? RulesFile.starter() : RulesFile.read(file));
    }

    /// As above, by rules that were read already.
    Verdict run(AuditRequest request, List<Rule> rules) {
        Dataset<Row> output = read(request.output());
        Dataset<Row> flat = FlatRows.of(output);
        requireFit(rules, flat);

        Map<String, Check> checks = checks(rules, request);
        Drift drift = new Drift(session, request, clock);
        ResultKey key = drift.key();
        VerificationResult measured = measure(flat, rules, checks, request, key);
        long rows = rowCount(measured);
        Findings findings = new Findings(output, flat);
        List<RuleResult> results = new ArrayList<>();
        for (Rule rule : rules) {
            Check check = checks.get(rule.name());
            if (rows == 0 && request.expectedRows().orElse(-1) == 0) {
                results.add(RuleResult.notJudged(rule, "no rows, as planned"));
            } else if (rule.expectation() instanceof Expectation.Drift expected) {
                results.add(drift.judge(rule, expected, measured, key));
            } else if (rule.expectation() instanceof Expectation.RowsPerInputFile) {
                results.add(new Conservation(session, request).judge(rule, flat));
            } else if (check == null) {
                results.add(RuleResult.notJudged(rule, "the number of planned rows was not given"));
            } else {
                results.add(judged(rule, measured, check, findings, request));
            }
        }
        long quarantined = quarantine(request, rules, results, measured, checks, findings);
        Path metrics = request.metrics();
        if (metrics != null) {
            Metrics.write(metrics, measured);
        }
        return Verdict.of(results, rows, quarantined, request.tags());
    }

    private Dataset<Row> read(List<String> paths) {
        try {
            return session.read().parquet(paths.toArray(String[]::new));
        } catch (Exception e) {
            // Scala throws the checked AnalysisException without declaring it
            throw new AuditException("output " + paths + ": cannot be read as Parquet: " + explain(e), e);
        }
    }

    private static void requireFit(List<Rule> rules, Dataset<Row> flat) {
        List<String> problems = new ArrayList<>();
        List<String> names = List.of(flat.columns());
        for (Rule rule : rules) {
            String where = "rule " + rule.name() + " (line " + rule.line() + "): ";
            for (String column : rule.expectation().columns()) {
                if (!names.contains(column)) {
                    problems.add(where + "the output has no column " + column + ", it has " + names);
                }
            }
            switch (rule.expectation()) {
                case Expectation.Compliance it -> predicate(flat, it.predicate(), where + "predicate", problems);
                case Expectation.Statistic it -> numeric(flat.schema(), it.column(), where, problems);
                case Expectation.Drift it
                when it.figure() == Expectation.Drift.Figure.SHARE ->
                    predicate(flat, it.of(), where + "share", problems);
                case Expectation.Drift it -> numeric(flat.schema(), it.of(), where, problems);
                default -> {}
            }
            if (rule.where() != null) {
                predicate(flat, rule.where(), where + "where", problems);
            }
        }
        if (!problems.isEmpty()) {
            throw new AuditException(
                    problems.size() + " problem(s) between rules and output\n  " + String.join("\n  ", problems));
        }
    }

    private static void predicate(Dataset<Row> flat, String sql, String where, List<String> problems) {
        try {
            flat.filter(functions.expr(sql));
        } catch (Exception e) {
            if (!(e instanceof AnalysisException analysis)) {
                throw e;
            }
            problems.add(
                    where + " \"" + sql + "\": " + analysis.getSimpleMessage().strip());
        }
    }

    private static void numeric(StructType schema, String column, String where, List<String> problems) {
        if (schema.getFieldIndex(column).isDefined() && !(schema.apply(column).dataType() instanceof NumericType)) {
            problems.add(where + "expected a number in column " + column + ", got "
                    + schema.apply(column).dataType().simpleString());
        }
    }

    private static Map<String, Check> checks(List<Rule> rules, AuditRequest request) {
        Constraints constraints = new Constraints(request.expectedRows());
        Map<String, Check> checks = new LinkedHashMap<>();
        for (Rule rule : rules) {
            Check check = constraints.check(rule);
            if (check != null) {
                checks.put(rule.name(), check);
            }
        }
        return checks;
    }

    private VerificationResult measure(
            Dataset<Row> flat, List<Rule> rules, Map<String, Check> checks, AuditRequest request, ResultKey key) {
        List<Analyzer<?, ?>> analyzers = Metrics.always(flat.schema());
        for (Rule rule : rules) {
            if (rule.expectation() instanceof Expectation.Drift drift) {
                analyzers.add(Drift.analyzer(rule, drift));
            }
        }
        VerificationRunBuilder run = new VerificationSuite()
                .onData(flat)
                .addRequiredAnalyzers(Metrics.seq(analyzers))
                .addChecks(JavaConverters.asScalaBufferConverter(List.copyOf(checks.values()))
                        .asScala()
                        .toSeq());
        try {
            return saved(run, request, key).run();
        } catch (Exception e) {
            // Scala throws the checked SparkException without declaring it
            throw new AuditException("output " + request.output() + ": cannot be measured: " + explain(e), e);
        }
    }

    private VerificationRunBuilder saved(VerificationRunBuilder run, AuditRequest request, ResultKey key) {
        AuditRequest.History history = request.history();
        if (history == null) {
            return run;
        }
        return run.useRepository(new FileSystemMetricsRepository(session, history.file()))
                .saveOrAppendResult(key);
    }

    private static long rowCount(VerificationResult measured) {
        Size allRows = new Size(Option.empty());
        Metric<?> metric = JavaConverters.mapAsJavaMapConverter(measured.metrics())
                .asJava()
                .get(allRows);
        if (metric == null) {
            throw new IllegalStateException("the row count was asked for and is not among the metrics");
        }
        return Math.round(((Number) value(metric)).doubleValue());
    }

    private static Object value(Metric<?> metric) {
        Try<?> value = metric.value();
        if (value.isFailure()) {
            Throwable cause = value.failed().get();
            throw new AuditException("output: cannot be measured: " + explain(cause), cause);
        }
        return value.get();
    }

    private RuleResult judged(
            Rule rule, VerificationResult measured, Check check, Findings findings, AuditRequest request) {
        ConstraintResult result = onlyConstraint(measured, check);
        Double actual = actual(rule, result);
        if (actual == null && findings.isAboutNoRow(rule)) {
            return RuleResult.notJudged(rule, "no row meets " + rule.where());
        }
        // Deequ lets a constraint pass that had nothing to measure
        boolean pass = actual != null && result.status().equals(ConstraintStatus.Success());
        String expected = rule.words() + plannedRows(rule, request);
        if (pass) {
            return new RuleResult(rule, Status.PASS, expected, actual, "", null, List.of());
        }
        Findings.Found found = findings.find(rule, measured, check);
        String got = actual == null ? "nothing to measure" : Bounds.rounded(actual);
        String message = "expected " + expected + "; got " + got + found.note();
        return new RuleResult(rule, Status.FAIL, expected, actual, message, found.failingRows(), found.examples());
    }

    private static String plannedRows(Rule rule, AuditRequest request) {
        boolean planned = rule.expectation() instanceof Expectation.Size size && size.bounds() == null;
        return planned ? " (" + request.expectedRows().orElseThrow() + ")" : "";
    }

    private static ConstraintResult onlyConstraint(VerificationResult measured, Check check) {
        CheckResult result = measured.checkResults().apply(check);
        return result.constraintResults().head();
    }

    /// What was measured; null when no row has a value.
    private static @Nullable Double actual(Rule rule, ConstraintResult result) {
        if (result.metric().isEmpty()) {
            throw new AuditException("rule " + rule.name() + ": not measured: "
                    + result.message().getOrElse(() -> "no reason given"));
        }
        Try<?> value = result.metric().get().value();
        if (value.isSuccess()) {
            double number = ((Number) value.get()).doubleValue();
            return Double.isNaN(number) ? null : number;
        }
        Throwable cause = value.failed().get();
        if (cause instanceof EmptyStateException) {
            return null;
        }
        throw new AuditException(
                "rule " + rule.name() + " (line " + rule.line() + "): cannot be measured: " + explain(cause), cause);
    }

    /// The first lines of an exception and its causes; Spark's account of an aborted job repeats them with a
    /// stack.
    static String explain(Throwable thrown) {
        List<String> lines = new ArrayList<>();
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            String message = cause.getMessage();
            String line = message == null
                    ? cause.getClass().getName()
                    : message.lines().findFirst().orElse("");
            boolean repeats = line.startsWith(ABORTED) && cause.getCause() != null;
            if (!repeats && !lines.contains(line)) {
                lines.add(line);
            }
        }
        return String.join(" <- ", lines);
    }

    private static long quarantine(
            AuditRequest request,
            List<Rule> rules,
            List<RuleResult> results,
            VerificationResult measured,
            Map<String, Check> checks,
            Findings findings) {
        String path = request.quarantine();
        if (path == null) {
            return 0;
        }
        Map<Rule, Check> failed = new LinkedHashMap<>();
        for (int index = 0; index < rules.size(); index++) {
            Rule rule = rules.get(index);
            Check check = checks.get(rule.name());
            boolean counts = rule.level() == Level.QUARANTINE
                    && results.get(index).status() == Status.FAIL
                    && results.get(index).failingRows() != null;
            if (counts && check != null) {
                failed.put(rule, check);
            }
        }
        return failed.isEmpty() ? 0 : findings.quarantine(failed, measured, path);
    }
}
