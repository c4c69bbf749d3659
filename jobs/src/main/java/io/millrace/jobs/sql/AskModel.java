package io.millrace.jobs.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/// Adds a column of the model's answers to the rows of its child: the logical operator that a {@link
/// ModelCall} becomes. Opaque to the optimizer, but for what {@link AskModels} does with it.
public final class AskModel extends LogicalPlan {
    private static final long serialVersionUID = 1L;

    private final ModelCall call;
    private final Attribute answer;
    private final LogicalPlan child;

    /// @param answer the column that is added
    public AskModel(ModelCall call, Attribute answer, LogicalPlan child) {
        this.call = call;
        this.answer = answer;
        this.child = child;
    }

    ModelCall call() {
        return call;
    }

    Attribute answer() {
        return answer;
    }

    LogicalPlan child() {
        return child;
    }

    /// The same about other rows.
    AskModel of(LogicalPlan other) {
        return new AskModel(call, answer, other);
    }

    static Seq<Attribute> output(Seq<Attribute> input, Attribute answer) {
        List<Attribute> output = new ArrayList<>(Scala.list(input));
        output.add(answer);
        return Scala.seq(output);
    }

    @Override
    public Seq<Attribute> output() {
        return output(child.output(), answer);
    }

    @Override
    public AttributeSet producedAttributes() {
        return AttributeSet.apply(answer);
    }

    @Override
    public Seq<LogicalPlan> children() {
        return Scala.seq(List.of(child));
    }

    @Override
    public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> others) {
        return of(others.head());
    }

    @Override
    public int productArity() {
        return 3;
    }

    @Override
    public Object productElement(int index) {
        return switch (index) {
            case 0 -> call;
            case 1 -> answer;
            case 2 -> child;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }

    @Override
    public boolean canEqual(@Nullable Object other) {
        return other instanceof AskModel;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AskModel ask
                && call.equals(ask.call)
                && answer.equals(ask.answer)
                && child.equals(ask.child);
    }

    @Override
    public int hashCode() {
        return Objects.hash(call, answer, child);
    }
}
