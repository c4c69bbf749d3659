package io.millrace.jobs.sql;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.rules.Rule;
import scala.Function1;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.runtime.BoxedUnit;

/// Gives every call a column of its own in a projection below the operator that uses it, equal calls the
/// same one. From then on whatever uses the answer uses that column, as often as it likes: what the
/// optimizer moves, merges or writes twice is a reference.
///
/// Of an aggregation, calls in grouping expressions and in arguments of aggregate functions are asked below
/// it, for each row; others above it, for each group.
final class CallColumns extends Rule<LogicalPlan> {

    @Override
    public LogicalPlan apply(LogicalPlan plan) {
        return plan.resolveOperatorsUp(Scala.rewriting(CallColumns::separated));
    }

    private static LogicalPlan separated(LogicalPlan node) {
        if (node.children().size() != 1 || !node.resolved() || isSeparated(node)) {
            return node;
        }
        if (node instanceof Aggregate aggregate && askedByRow(aggregate).isEmpty()) {
            return separated(aboveGroups(aggregate));
        }
        Columns columns = new Columns();
        List<Expression> wanted = node instanceof Aggregate aggregate ? askedByRow(aggregate) : calls(node);
        LogicalPlan user = node.mapExpressions(columns.replacing(wanted));
        LogicalPlan child = node.children().head();
        List<NamedExpression> list = new ArrayList<>(Scala.list(child.output()));
        list.addAll(columns.all());
        LogicalPlan above = separated(user.withNewChildren(Scala.seq(List.of(new Project(Scala.seq(list), child)))));
        return above.sameOutput(node) ? above : new Project(Scala.seq(Scala.list(node.output())), above);
    }

    /// Whether all calls are columns of a projection already, each another one. A call of a lambda's variable
    /// cannot be, see {@link CallPlaces}.
    private static boolean isSeparated(LogicalPlan node) {
        List<Expression> calls = calls(node);
        if (calls.isEmpty() || calls.stream().anyMatch(CallPlaces::isInLambda)) {
            return true;
        }
        return node instanceof Project project
                && Scala.list(project.projectList()).stream()
                                .filter(item -> item instanceof Alias alias && alias.child() instanceof ModelCall)
                                .count()
                        == calls.size()
                && calls.stream().map(Expression::canonicalized).distinct().count() == calls.size();
    }

    /// All calls of an operator, those that are arguments of others included.
    static List<Expression> calls(LogicalPlan node) {
        List<Expression> calls = new ArrayList<>();
        Scala.list(node.expressions()).forEach(expression -> addCalls(expression, calls));
        return calls;
    }

    private static void addCalls(Expression expression, List<Expression> calls) {
        expression.foreach(part -> {
            if (part instanceof ModelCall) {
                calls.add(part);
            }
            return BoxedUnit.UNIT;
        });
    }

    private static List<Expression> askedByRow(Aggregate node) {
        List<Expression> calls = new ArrayList<>();
        Scala.list(node.groupingExpressions()).forEach(grouping -> addCalls(grouping, calls));
        for (NamedExpression result : Scala.list(node.aggregateExpressions())) {
            ((Expression) result).foreach(part -> {
                if (part instanceof AggregateExpression) {
                    addCalls(part, calls);
                }
                return BoxedUnit.UNIT;
            });
        }
        return calls;
    }

    /// The aggregation without what is computed of its groups, and that in a projection above it.
    static Project aboveGroups(Aggregate node) {
        Map<Expression, NamedExpression> columns = new LinkedHashMap<>();
        List<Expression> groupings = Scala.list(node.groupingExpressions());
        List<NamedExpression> results = new ArrayList<>();
        for (NamedExpression result : Scala.list(node.aggregateExpressions())) {
            results.add((NamedExpression) ((Expression) result).transformDown(Scala.rewriting(part -> {
                boolean isOfGroup = part instanceof AggregateExpression
                        || groupings.stream().anyMatch(grouping -> grouping.semanticEquals(part));
                return isOfGroup ? reference(columns, part) : part;
            })));
        }
        return new Project(
                Scala.seq(results),
                node.copy(
                        node.groupingExpressions(),
                        Scala.seq(List.copyOf(columns.values())),
                        node.child(),
                        node.hint()));
    }

    private static Expression reference(Map<Expression, NamedExpression> columns, Expression part) {
        return columns.computeIfAbsent(
                        part.canonicalized(), _ -> part instanceof Attribute column ? column : alias(part, "group"))
                .toAttribute();
    }

    private static Alias alias(Expression expression, String name) {
        return alias(expression, name, NamedExpression.newExprId());
    }

    static Alias alias(Expression expression, String name, ExprId id) {
        Seq<String> none = Scala.seq(List.of());
        return new Alias(expression, name, id, none, Option.empty(), none);
    }

    /// The columns that calls of one operator get.
    private static final class Columns {
        private final Map<Expression, Alias> byCall = new LinkedHashMap<>();

        List<Alias> all() {
            return List.copyOf(byCall.values());
        }

        /// Puts references in the place of calls, innermost first: a call whose argument was one waits for
        /// the next time.
        Function1<Expression, Expression> replacing(List<Expression> wanted) {
            List<Expression> canonical =
                    wanted.stream().map(Expression::canonicalized).toList();
            return expression -> expression.transformDown(Scala.rewriting(part -> {
                if (part instanceof ModelCall call && call.isInnermost() && canonical.contains(call.canonicalized())) {
                    return byCall.computeIfAbsent(call.canonicalized(), _ -> alias(call, call.prettyName()))
                            .toAttribute();
                }
                return part;
            }));
        }
    }
}
