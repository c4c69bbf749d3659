package io.millrace.udf.shard;

import io.millrace.udf.SparkSchemas;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampType;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/// The rows of a committed shard, in the order they were written. Confined to one thread.
final class CommittedRows implements Iterator<Row>, AutoCloseable {
    private static final StructType SCHEMA = SparkSchemas.completion();

    private final Path file;
    private final ParquetReader<Group> reader;
    private @Nullable Group next;

    private CommittedRows(Path file, ParquetReader<Group> reader) {
        this.file = file;
        this.reader = reader;
    }

    /// @throws ShardException if the file cannot be read
    static CommittedRows open(Path file, Configuration conf) {
        try {
            CommittedRows rows = new CommittedRows(
                    file,
                    ParquetReader.builder(new GroupReadSupport(), file)
                            .withConf(conf)
                            .build());
            rows.advance();
            return rows;
        } catch (IOException | RuntimeException e) {
            throw failure(file, e);
        }
    }

    private void advance() throws IOException {
        next = reader.read();
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public Row next() {
        Group group = next;
        if (group == null) {
            throw new NoSuchElementException("no more rows in " + file);
        }
        try {
            Row row = row(group, SCHEMA);
            advance();
            return row;
        } catch (IOException | RuntimeException e) {
            throw failure(file, e);
        }
    }

    private static Row row(Group group, StructType schema) {
        @Nullable Object[] values = new @Nullable Object[schema.length()];
        for (int field = 0; field < values.length; field++) {
            String name = schema.apply(field).name();
            if (group.getFieldRepetitionCount(name) > 0) {
                values[field] = value(group, name, schema.apply(field).dataType());
            }
        }
        return RowFactory.create(values);
    }

    private static Object value(Group group, String name, DataType type) {
        return switch (type) {
            case StructType struct -> row(group.getGroup(name, 0), struct);
            case ArrayType list -> list(group.getGroup(name, 0), list.elementType());
            case StringType _ -> group.getString(name, 0);
            case IntegerType _ -> group.getInteger(name, 0);
            case LongType _ -> group.getLong(name, 0);
            case DoubleType _ -> group.getDouble(name, 0);
            case BooleanType _ -> group.getBoolean(name, 0);
            case TimestampType _ -> Timestamp.from(Instant.EPOCH.plus(group.getLong(name, 0), ChronoUnit.MICROS));
            default -> throw new IllegalStateException("column " + name + ": no Parquet type is known for " + type);
        };
    }

    private static Seq<Object> list(Group list, DataType type) {
        List<Object> items = new ArrayList<>();
        for (int item = 0; item < list.getFieldRepetitionCount(0); item++) {
            items.add(value(list.getGroup(0, item), "element", type));
        }
        return CollectionConverters.asScala(items).toSeq();
    }

    private static ShardException failure(Path file, Exception e) {
        return new ShardException("output " + file + ": expected a committed shard, got " + e.getMessage(), e);
    }

    @Override
    public void close() {
        try {
            reader.close();
        } catch (IOException e) {
            throw failure(file, e);
        }
    }
}
