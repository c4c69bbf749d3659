package io.millrace.jobs.sql;

import io.millrace.udf.GenerateFunction;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.JoinedRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.types.DataType;
import scala.collection.immutable.Seq;

/// Rows of a partition with their answers. A window of rows is under way in the executor's engine at a time,
/// as in a job, so that the rows of all its tasks meet in one running batch.
final class AskedRows implements Function2<Integer, Iterator<InternalRow>, Iterator<InternalRow>> {
    private static final long serialVersionUID = 1L;

    private final ModelTask task;
    private final Seq<Expression> arguments;
    private final Seq<Attribute> input;
    private final Seq<Attribute> output;
    private final AnswerMetrics metrics;

    /// @param arguments those of a {@link ModelCall}
    /// @param output the input's columns and the answer
    AskedRows(
            ModelTask task,
            Seq<Expression> arguments,
            Seq<Attribute> input,
            Seq<Attribute> output,
            AnswerMetrics metrics) {
        this.task = task;
        this.arguments = arguments;
        this.input = input;
        this.output = output;
        this.metrics = metrics;
    }

    @Override
    public Iterator<InternalRow> call(Integer partition, Iterator<InternalRow> rows) {
        UnsafeProjection asked = UnsafeProjection.create(arguments, input);
        asked.initialize(partition);
        Questions questions = new Questions(task, partition);
        Deque<InternalRow> underWay = new ArrayDeque<>();
        Iterator<Row> answers = new GenerateFunction(task.generate(), task.patience()).call(new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Row next() {
                InternalRow row = rows.next();
                // whoever gives the rows may give the same object again with other values
                underWay.addLast(row.copy());
                return questions.question(asked.apply(row));
            }
        });
        return answered(answers, underWay);
    }

    private Iterator<InternalRow> answered(Iterator<Row> answers, Deque<InternalRow> underWay) {
        UnsafeProjection whole = UnsafeProjection.create(types(output));
        Answers structs = new Answers(task.call().function(), metrics);
        JoinedRow joined = new JoinedRow();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return answers.hasNext();
            }

            @Override
            public InternalRow next() {
                Row answer = answers.next();
                GenericInternalRow column = new GenericInternalRow(new Object[] {structs.answer(answer)});
                return whole.apply(joined.apply(underWay.removeFirst(), column));
            }
        };
    }

    private static DataType[] types(Seq<Attribute> columns) {
        return Scala.list(columns).stream().map(Attribute::dataType).toArray(DataType[]::new);
    }
}
