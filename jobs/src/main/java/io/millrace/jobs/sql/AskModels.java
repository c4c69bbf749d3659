package io.millrace.jobs.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Offset;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Repartition;
import org.apache.spark.sql.catalyst.plans.logical.RepartitionByExpression;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.plans.physical.RangePartitioning;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.internal.SQLConf;
import org.jspecify.annotations.Nullable;

/// Makes an {@link AskModel} of every call, and has as few rows asked about as the query's result needs:
/// filters that do not read the answer go below it, so do limits, with the order they take rows in; an
/// answer that nobody reads is not asked for, and one that rows have already is taken. What is spread by
/// ranges is read twice, for the ranges and to spread it, so answers below are kept in a shuffle.
final class AskModels extends Rule<LogicalPlan> {

    @Override
    public LogicalPlan apply(LogicalPlan plan) {
        return plan.transformUp(Scala.rewriting(AskModels::rewritten));
    }

    private static LogicalPlan rewritten(LogicalPlan node) {
        return switch (node) {
            case Project project -> rewritten(project);
            // as the optimizer merges projections into what they project
            case Aggregate aggregate
            when !CallColumns.calls(aggregate).isEmpty() -> rewritten(CallColumns.aboveGroups(aggregate));
            case AskModel ask -> known(ask);
            case Filter filter when filter.child() instanceof AskModel ask -> below(filter, ask);
            case LocalLimit limit
            when limit.child() instanceof Sort sort && isOfInput(sort) ->
                limit.withNewChildren(Scala.seq(List.of(swapped(sort, sort.child()))));
            case LocalLimit limit -> swapped(limit, limit.child());
            case GlobalLimit limit -> swapped(limit, limit.child());
            case Offset offset -> swapped(offset, offset.child());
            case RepartitionByExpression repartition
            when repartition.partitioning() instanceof RangePartitioning && isAsking(repartition.child()) ->
                repartition.withNewChildren(Scala.seq(List.of(kept(repartition.child()))));
            default -> node;
        };
    }

    private static LogicalPlan rewritten(Project project) {
        if (project.child() instanceof AskModel ask && !project.references().contains(ask.answer())) {
            return new Project(project.projectList(), ask.child());
        }
        List<NamedExpression> columns = new ArrayList<>();
        LogicalPlan child = project.child();
        for (NamedExpression column : Scala.list(project.projectList())) {
            if (column instanceof Alias alias && alias.child() instanceof ModelCall call) {
                child = new AskModel(call, alias.toAttribute(), child);
                columns.add(alias.toAttribute());
            } else {
                columns.add(column);
            }
        }
        return child.equals(project.child()) ? project : new Project(Scala.seq(columns), child);
    }

    /// The answer to the same call where a row has it, as a filter may have asked for it.
    private static LogicalPlan known(AskModel ask) {
        Known known = known(ask.child(), ask.call().canonicalized());
        if (known == null) {
            return ask;
        }
        Attribute answer = ask.answer();
        List<NamedExpression> columns = new ArrayList<>(Scala.list(ask.child().output()));
        columns.add(CallColumns.alias(known.answer(), answer.name(), answer.exprId()));
        return new Project(Scala.seq(columns), known.plan());
    }

    /// @param plan that has the answer among its columns
    private record Known(LogicalPlan plan, Attribute answer) {}

    private static @Nullable Known known(LogicalPlan plan, Expression call) {
        if (plan instanceof AskModel ask && ask.call().canonicalized().equals(call)) {
            return new Known(ask, ask.answer());
        }
        if (!(plan instanceof AskModel || plan instanceof Filter || plan instanceof Project)) {
            return null;
        }
        Known below = known(plan.children().head(), call);
        if (below == null) {
            return null;
        }
        LogicalPlan above = plan.withNewChildren(Scala.seq(List.of(below.plan())));
        if (above instanceof Project project && !project.outputSet().contains(below.answer())) {
            List<NamedExpression> columns = new ArrayList<>(Scala.list(project.projectList()));
            columns.add(below.answer());
            above = new Project(Scala.seq(columns), project.child());
        }
        return new Known(above, below.answer());
    }

    /// The parts of a condition that can be told of a row before the model is asked about it come first.
    private static LogicalPlan below(Filter filter, AskModel ask) {
        List<Expression> before = new ArrayList<>();
        List<Expression> after = new ArrayList<>();
        parts(filter.condition()).forEach(part -> {
            boolean isOfInput = part.deterministic()
                    && part.references().subsetOf(ask.child().outputSet());
            (isOfInput ? before : after).add(part);
        });
        if (before.isEmpty()) {
            return filter;
        }
        LogicalPlan asked = ask.of(new Filter(all(before), ask.child()));
        return after.isEmpty() ? asked : new Filter(all(after), asked);
    }

    private static Stream<Expression> parts(Expression condition) {
        return condition instanceof And and
                ? Stream.concat(parts(and.left()), parts(and.right()))
                : Stream.of(condition);
    }

    private static Expression all(List<Expression> parts) {
        return parts.stream().reduce(And::new).orElseThrow();
    }

    /// The operator that asks, alone or below a projection of what it yields.
    private static @Nullable AskModel asking(LogicalPlan node) {
        return switch (node) {
            case AskModel ask -> ask;
            case Project project
            when project.child() instanceof AskModel ask
                    && Scala.list(project.expressions()).stream().allMatch(Expression::deterministic) -> ask;
            default -> null;
        };
    }

    /// Whether to read the rows again is to ask again.
    static boolean isAsking(LogicalPlan plan) {
        return switch (plan) {
            case AskModel _ -> true;
            case Project _, Filter _, Generate _ -> isAsking(plan.children().head());
            default -> false;
        };
    }

    /// The same rows, answers and all, in a shuffle's files.
    static LogicalPlan kept(LogicalPlan plan) {
        return new Repartition(SQLConf.get().numShufflePartitions(), true, plan);
    }

    private static boolean isOfInput(Sort sort) {
        AskModel ask = asking(sort.child());
        return ask != null && sort.references().subsetOf(ask.child().outputSet());
    }

    /// An operator that takes rows as they come, below the one that asks.
    private static LogicalPlan swapped(LogicalPlan taking, LogicalPlan child) {
        AskModel ask = asking(child);
        if (ask == null) {
            return taking;
        }
        LogicalPlan asked = ask.of(taking.withNewChildren(Scala.seq(List.of(ask.child()))));
        return child instanceof AskModel ? asked : child.withNewChildren(Scala.seq(List.of(asked)));
    }
}
