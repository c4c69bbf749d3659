package io.millrace.quality;

import com.amazon.deequ.analyzers.AnalyzerOptions;
import com.amazon.deequ.analyzers.ApproxQuantile;
import com.amazon.deequ.analyzers.CountDistinct;
import com.amazon.deequ.checks.Check;
import com.amazon.deequ.checks.CheckLevel;
import com.amazon.deequ.checks.CheckWithLastConstraintFilterable;
import com.amazon.deequ.constraints.Constraint;
import com.amazon.deequ.constraints.Constraint$;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import scala.Function1;
import scala.Option;
import scala.collection.JavaConverters;
import scala.collection.Seq;
import scala.collection.immutable.Nil$;

/// Rules as Deequ checks: one rule, one check, one constraint. Deequ then gives one row-level column per
/// rule, named by [#columnOf].
final class Constraints {

    private static final Option<String> NO_HINT = Option.empty();
    private static final Option<AnalyzerOptions> NO_OPTIONS = Option.empty();

    private final OptionalLong expectedRows;

    Constraints(OptionalLong expectedRows) {
        this.expectedRows = expectedRows;
    }

    /// Name of a rule's row-level column; the slash keeps it apart from columns of the output.
    static String columnOf(Rule rule) {
        return "rule/" + rule.name();
    }

    /// The check of a rule; null when Deequ has no part in it, or the request lacks what it compares with.
    @Nullable
    Check check(Rule rule) {
        Check empty = new Check(CheckLevel.Error(), columnOf(rule), nil());
        return switch (rule.expectation()) {
            case Expectation.Complete it ->
                narrowed(rule, empty.hasCompleteness(it.column(), holds(it.share()), NO_HINT, NO_OPTIONS));
            case Expectation.Unique it ->
                narrowed(rule, empty.hasUniqueness(seq(it.columns()), holds(Bounds.exactly(1.0)), NO_HINT, NO_OPTIONS));
            case Expectation.Distinct it ->
                narrowed(rule, empty.hasDistinctness(seq(it.columns()), holds(it.share()), NO_HINT));
            case Expectation.SingleValued it -> empty.addConstraint(oneValue(it));
            case Expectation.Compliance it -> satisfies(rule, empty, it.predicate(), it.share());
            case Expectation.ContainedIn it -> satisfies(rule, empty, containedIn(it), it.share());
            case Expectation.Pattern it -> satisfies(rule, empty, pattern(it), it.share());
            case Expectation.Size it -> size(rule, empty, it);
            case Expectation.RowsPerInputFile _, Expectation.Drift _ -> null;
            case Expectation.Statistic it -> statistic(rule, empty, it);
        };
    }

    private static Check satisfies(Rule rule, Check check, String predicate, Bounds share) {
        return narrowed(rule, check.satisfies(total(predicate), rule.name(), holds(share), NO_HINT, nil(), NO_OPTIONS));
    }

    /// A predicate that is null for a row has not been met by it; Deequ alone would give no metric at all when
    /// it is null for every row.
    static String total(String predicate) {
        return "coalesce((" + predicate + "), false)";
    }

    private @Nullable Check size(Rule rule, Check check, Expectation.Size size) {
        Bounds bounds = size.bounds();
        if (bounds == null) {
            if (expectedRows.isEmpty()) {
                return null;
            }
            bounds = Bounds.exactly((double) expectedRows.getAsLong());
        }
        return narrowed(rule, check.hasSize(holds(bounds), NO_HINT));
    }

    private static Check statistic(Rule rule, Check check, Expectation.Statistic it) {
        Function1<Object, Object> holds = holds(it.bounds());
        return switch (it.measure()) {
            case MIN -> narrowed(rule, check.hasMin(it.column(), holds, NO_HINT, NO_OPTIONS));
            case MAX -> narrowed(rule, check.hasMax(it.column(), holds, NO_HINT, NO_OPTIONS));
            case MEAN -> narrowed(rule, check.hasMean(it.column(), holds, NO_HINT));
            case SUM -> narrowed(rule, check.hasSum(it.column(), holds, NO_HINT));
            case QUANTILE -> quantile(rule, check, it, holds);
        };
    }

    private static Check quantile(Rule rule, Check check, Expectation.Statistic it, Function1<Object, Object> holds) {
        if (it.relativeError() == 0.0) {
            return narrowed(rule, check.hasExactQuantile(it.column(), it.quantile(), holds, NO_HINT));
        }
        Option<String> where = Option.apply(rule.where());
        ApproxQuantile analyzer = new ApproxQuantile(it.column(), it.quantile(), it.relativeError(), where);
        return check.addConstraint(Constraint$.MODULE$.fromAnalyzer(analyzer, holds, NO_HINT));
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // Scala's bounds on analyzers do not survive in Java signatures
    private static Constraint oneValue(Expectation.SingleValued it) {
        com.amazon.deequ.analyzers.Analyzer analyzer = new CountDistinct(seq(it.columns()));
        return Constraint$.MODULE$.anomalyConstraint(analyzer, holds(Bounds.exactly(1.0)), NO_HINT);
    }

    private static String containedIn(Expectation.ContainedIn it) {
        String column = FlatRows.quoted(it.column());
        String values = it.values().stream().map(Constraints::literal).collect(Collectors.joining(", "));
        return column + " is null or " + column + " in (" + values + ")";
    }

    private static String pattern(Expectation.Pattern it) {
        return FlatRows.quoted(it.column()) + " rlike " + literal(it.regex());
    }

    /// A text as SQL reads it with backslash escapes on, which is Spark's default.
    static String literal(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    private static Check narrowed(Rule rule, CheckWithLastConstraintFilterable check) {
        String where = rule.where();
        return where == null ? check : check.where(where);
    }

    /// Deequ hands sizes over as Long and everything else as Double.
    private static Function1<Object, Object> holds(Bounds bounds) {
        return value -> bounds.holds(((Number) value).doubleValue());
    }

    private static <T> Seq<T> seq(List<T> list) {
        return JavaConverters.asScalaBufferConverter(list).asScala().toSeq();
    }

    @SuppressWarnings("unchecked") // the empty list is a list of anything
    static <T> scala.collection.immutable.List<T> nil() {
        return (scala.collection.immutable.List<T>) (scala.collection.immutable.List<?>) Nil$.MODULE$;
    }
}
