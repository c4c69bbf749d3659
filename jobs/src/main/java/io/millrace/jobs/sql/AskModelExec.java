package io.millrace.jobs.sql;

import java.util.List;
import java.util.Objects;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;

/// The physical operator of {@link AskModel}: rows pass through it in their order, each with an answer more.
public final class AskModelExec extends SparkPlan {
    private static final long serialVersionUID = 1L;

    private final ModelTask task;
    private final ModelCall call;
    private final Attribute answer;
    private final SparkPlan child;
    private transient @Nullable AnswerMetrics counted;

    /// @param answer the column that is added
    public AskModelExec(ModelTask task, ModelCall call, Attribute answer, SparkPlan child) {
        this.task = task;
        this.call = call;
        this.answer = answer;
        this.child = child;
    }

    @Override
    public RDD<InternalRow> doExecute() {
        return JavaRDD.toRDD(child.execute()
                .toJavaRDD()
                .mapPartitionsWithIndex(
                        new AskedRows(task, call.arguments(), child.output(), output(), counted()), true));
    }

    private synchronized AnswerMetrics counted() {
        if (counted == null) {
            SparkContext context = sparkContext();
            counted = AnswerMetrics.of(context);
        }
        return counted;
    }

    @Override
    public Map<String, SQLMetric> metrics() {
        return counted().byName();
    }

    @Override
    public Seq<Attribute> output() {
        return AskModel.output(child.output(), answer);
    }

    @Override
    public AttributeSet producedAttributes() {
        return AttributeSet.apply(answer);
    }

    @Override
    public Partitioning outputPartitioning() {
        return child.outputPartitioning();
    }

    @Override
    public Seq<SortOrder> outputOrdering() {
        return child.outputOrdering();
    }

    @Override
    public String simpleString(int maxFields) {
        return "AskModel " + call + " AS " + answer + ", model " + task.call().model();
    }

    @Override
    public Seq<SparkPlan> children() {
        return Scala.seq(List.of(child));
    }

    @Override
    public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> others) {
        return new AskModelExec(task, call, answer, others.head());
    }

    @Override
    public int productArity() {
        return 4;
    }

    @Override
    public Object productElement(int index) {
        return switch (index) {
            case 0 -> task;
            case 1 -> call;
            case 2 -> answer;
            case 3 -> child;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }

    @Override
    public boolean canEqual(@Nullable Object other) {
        return other instanceof AskModelExec;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AskModelExec ask
                && task.equals(ask.task)
                && call.equals(ask.call)
                && answer.equals(ask.answer)
                && child.equals(ask.child);
    }

    @Override
    public int hashCode() {
        return Objects.hash(task, call, answer, child);
    }
}
