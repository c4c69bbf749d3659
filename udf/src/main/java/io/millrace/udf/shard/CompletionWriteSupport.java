package io.millrace.udf.shard;

import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import scala.collection.Seq;

/// Hands completion rows to Parquet, and at the end what the footer says of them.
final class CompletionWriteSupport extends WriteSupport<Row> {
    private final MessageType schema = CompletionFormat.parquet();
    private final Supplier<Map<String, String>> footer;
    private @Nullable RecordConsumer consumer;

    /// @param footer keys and values, asked for when the last row has been written
    CompletionWriteSupport(Supplier<Map<String, String>> footer) {
        this.footer = footer;
    }

    /// Parquet's newer form of it calls this one, which cannot be left out.
    @Override
    @SuppressWarnings("deprecation")
    public WriteContext init(Configuration conf) {
        return new WriteContext(
                schema,
                Map.of(CompletionFormat.SPARK_SCHEMA, CompletionFormat.columns().json()));
    }

    @Override
    public void prepareForWrite(RecordConsumer recordConsumer) {
        consumer = recordConsumer;
    }

    @Override
    public void write(Row row) {
        RecordConsumer to = consumer;
        if (to == null) {
            throw new IllegalStateException("Parquet prepares a write before it writes");
        }
        to.startMessage();
        fields(schema, row, to);
        to.endMessage();
    }

    private static void fields(GroupType type, Row row, RecordConsumer to) {
        for (int field = 0; field < type.getFieldCount(); field++) {
            Object value = row.get(field);
            if (value != null) {
                String name = type.getFieldName(field);
                to.startField(name, field);
                value(type, field, value, to);
                to.endField(name, field);
            }
        }
    }

    private static void value(GroupType type, int field, Object value, RecordConsumer to) {
        switch (value) {
            case Row struct -> {
                to.startGroup();
                fields(type.getType(field).asGroupType(), struct, to);
                to.endGroup();
            }
            case Seq<?> items -> list(type.getType(field).asGroupType(), items, to);
            case String text -> to.addBinary(Binary.fromString(text));
            case Integer number -> to.addInteger(number);
            case Long number -> to.addLong(number);
            case Double number -> to.addDouble(number);
            case Boolean truth -> to.addBoolean(truth);
            case Timestamp time -> to.addLong(ChronoUnit.MICROS.between(Instant.EPOCH, time.toInstant()));
            default ->
                throw new IllegalArgumentException("column " + type.getFieldName(field)
                        + ": expected a type of completion.v3, got " + value.getClass());
        }
    }

    /// In the format's three levels; an empty list has the first only.
    private static void list(GroupType type, Seq<?> items, RecordConsumer to) {
        GroupType repeated = type.getType(0).asGroupType();
        to.startGroup();
        if (items.nonEmpty()) {
            to.startField(repeated.getName(), 0);
            for (int item = 0; item < items.length(); item++) {
                to.startGroup();
                to.startField(repeated.getFieldName(0), 0);
                value(repeated, 0, items.apply(item), to);
                to.endField(repeated.getFieldName(0), 0);
                to.endGroup();
            }
            to.endField(repeated.getName(), 0);
        }
        to.endGroup();
    }

    @Override
    public FinalizedWriteContext finalizeWrite() {
        return new FinalizedWriteContext(footer.get());
    }
}
