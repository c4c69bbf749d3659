package io.millrace.jobs.report;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Folds the rows of a table, where the executors are, into one object that takes rows and others of its
/// kind in any order. Between processes it goes in Java's own form, whatever serializer Spark has for what
/// tasks hand back.
///
/// @param <T> the object
final class Folding<T extends Folding.Sum<T>>
        implements FlatMapFunction<Iterator<Row>, byte[]>, Function2<byte[], byte[], byte[]> {
    private static final long serialVersionUID = 1L;

    /// What rows are folded into.
    interface Sum<T> extends Serializable {
        void add(Row row);

        void add(T other);
    }

    private final byte[] none;

    private Folding(T none) {
        this.none = toBytes(none);
    }

    /// @param none of no rows; not changed
    static <T extends Sum<T>> T of(Dataset<Row> rows, T none) {
        Folding<T> folding = new Folding<>(none);
        return folding.ofBytes(rows.toJavaRDD().mapPartitions(folding).treeAggregate(folding.none, folding, folding));
    }

    @Override
    public Iterator<byte[]> call(Iterator<Row> rows) {
        T sum = ofBytes(none);
        rows.forEachRemaining(sum::add);
        return List.of(toBytes(sum)).iterator();
    }

    @Override
    public byte[] call(byte[] a, byte[] b) {
        T sum = ofBytes(a);
        sum.add(ofBytes(b));
        return toBytes(sum);
    }

    private static byte[] toBytes(Serializable sum) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(sum);
        } catch (IOException e) {
            throw new IllegalStateException("what is serializable can be written to memory", e);
        }
        return bytes.toByteArray();
    }

    @SuppressWarnings("unchecked") // written by toBytes
    private T ofBytes(byte[] bytes) {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return (T) in.readObject();
        } catch (IOException | ClassNotFoundException e) {
            throw new IllegalStateException("what was written to memory can be read", e);
        }
    }
}
