package io.millrace.jobs.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/// Adds a column of the model's answers to the rows of its child: the logical operator that a {@link
/// ModelCall} becomes. Opaque to the optimizer, but for what {@link AskModels} does with it.
public final class AskModel extends LogicalPlan {
    private static final long serialVersionUID = 1L;

    private final Alias answer;
    private final LogicalPlan child;

    /// @param answer a {@link ModelCall} and the column's name
    public AskModel(Alias answer, LogicalPlan child) {
        this.answer = answer;
        this.child = child;
    }

    Alias answer() {
        return answer;
    }

    LogicalPlan child() {
        return child;
    }

    static Seq<Attribute> output(Seq<Attribute> input, Alias answer) {
        List<Attribute> output = new ArrayList<>(Scala.list(input));
        output.add(answer.toAttribute());
        return Scala.seq(output);
    }

    @Override
    public Seq<Attribute> output() {
        return output(child.output(), answer);
    }

    @Override
    public Seq<LogicalPlan> children() {
        return Scala.seq(List.of(child));
    }

    @Override
    public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> others) {
        return new AskModel(answer, others.head());
    }

    @Override
    public int productArity() {
        return 2;
    }

    @Override
    public Object productElement(int index) {
        return switch (index) {
            case 0 -> answer;
            case 1 -> child;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }

    @Override
    public boolean canEqual(@Nullable Object other) {
        return other instanceof AskModel;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AskModel ask && answer.equals(ask.answer) && child.equals(ask.child);
    }

    @Override
    public int hashCode() {
        return Objects.hash(answer, child);
    }
}
