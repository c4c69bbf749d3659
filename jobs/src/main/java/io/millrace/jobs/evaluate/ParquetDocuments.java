package io.millrace.jobs.evaluate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/// Rows of a Parquet file with all their nested values.
final class ParquetDocuments {

    private ParquetDocuments() {}

    static List<Map<String, @Nullable Object>> read(Path file) throws IOException {
        List<Map<String, @Nullable Object>> documents = new ArrayList<>();
        try (ParquetReader<Group> reader = ParquetReader.builder(
                        new GroupReadSupport(), new org.apache.hadoop.fs.Path(file.toUri()))
                .withConf(new Configuration())
                .build()) {
            for (Group row = reader.read(); row != null; row = reader.read()) {
                documents.add(struct(row));
            }
        }
        return documents;
    }

    private static Map<String, @Nullable Object> struct(Group row) {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        for (Type field : row.getType().getFields()) {
            values.put(field.getName(), value(row, field));
        }
        return values;
    }

    private static @Nullable Object value(Group row, Type field) {
        int count = row.getFieldRepetitionCount(field.getName());
        if (field.isRepetition(Type.Repetition.REPEATED)) {
            List<@Nullable Object> items = new ArrayList<>();
            for (int index = 0; index < count; index++) {
                items.add(single(row, field, index));
            }
            return items;
        }
        return count == 0 ? null : single(row, field, 0);
    }

    private static @Nullable Object single(Group row, Type field, int index) {
        String name = field.getName();
        if (!field.isPrimitive()) {
            Group group = row.getGroup(name, index);
            return field.getLogicalTypeAnnotation() instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation
                    ? list(group)
                    : struct(group);
        }
        return switch (field.asPrimitiveType().getPrimitiveTypeName()) {
            case INT32 -> (long) row.getInteger(name, index);
            case INT64 -> row.getLong(name, index);
            case FLOAT -> (double) row.getFloat(name, index);
            case DOUBLE -> row.getDouble(name, index);
            case BOOLEAN -> row.getBoolean(name, index);
            case BINARY -> new String(row.getBinary(name, index).getBytes(), StandardCharsets.UTF_8);
            case INT96, FIXED_LEN_BYTE_ARRAY ->
                throw new TaskException("column " + name + ": expected a number, a text or a truth, got " + field);
        };
    }

    /// A list is a group of one repeated group of one field, or of what older writers left of that.
    private static List<@Nullable Object> list(Group group) {
        List<@Nullable Object> items = new ArrayList<>();
        Type repeated = group.getType().getType(0);
        boolean wrapped = !repeated.isPrimitive() && ((GroupType) repeated).getFieldCount() == 1;
        for (int index = 0; index < group.getFieldRepetitionCount(0); index++) {
            if (wrapped) {
                Group item = group.getGroup(0, index);
                items.add(value(item, item.getType().getType(0)));
            } else {
                items.add(single(group, repeated, index));
            }
        }
        return items;
    }
}
