package io.millrace.udf.shard;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/// Nested values of Parquet as JSON: lists as arrays, structs and maps as objects. What is null is left
/// out of a struct, as it is in a row that JSON was written of.
final class ParquetJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private ParquetJson() {}

    /// The value of a field that has one.
    static JsonNode of(Group group, int field) {
        Type type = group.getType().getType(field);
        if (!type.isRepetition(Type.Repetition.REPEATED)) {
            return value(group, field, 0);
        }
        ArrayNode items = NODES.arrayNode();
        for (int index = 0; index < group.getFieldRepetitionCount(field); index++) {
            items.add(value(group, field, index));
        }
        return items;
    }

    private static JsonNode value(Group group, int field, int index) {
        Type type = group.getType().getType(field);
        if (type.isPrimitive()) {
            return primitive(group, field, index, type.asPrimitiveType());
        }
        Group inner = group.getGroup(field, index);
        return switch (type.getLogicalTypeAnnotation()) {
            case ListLogicalTypeAnnotation _ -> list(inner);
            case MapLogicalTypeAnnotation _ -> map(inner);
            case null, default -> struct(inner);
        };
    }

    private static ObjectNode struct(Group group) {
        ObjectNode object = NODES.objectNode();
        GroupType type = group.getType();
        for (int field = 0; field < type.getFieldCount(); field++) {
            if (group.getFieldRepetitionCount(field) > 0) {
                object.set(type.getFieldName(field), of(group, field));
            }
        }
        return object;
    }

    /// Of three levels, as the format has it, or of the two that old writers knew.
    private static ArrayNode list(Group group) {
        ArrayNode items = NODES.arrayNode();
        Type repeated = group.getType().getType(0);
        boolean threeLevels = !repeated.isPrimitive() && repeated.asGroupType().getFieldCount() == 1;
        for (int index = 0; index < group.getFieldRepetitionCount(0); index++) {
            if (!threeLevels) {
                items.add(value(group, 0, index));
            } else {
                Group item = group.getGroup(0, index);
                items.add(item.getFieldRepetitionCount(0) == 0 ? NODES.nullNode() : of(item, 0));
            }
        }
        return items;
    }

    private static ObjectNode map(Group group) {
        ObjectNode object = NODES.objectNode();
        for (int index = 0; index < group.getFieldRepetitionCount(0); index++) {
            Group entry = group.getGroup(0, index);
            object.set(of(entry, 0).asText(), entry.getFieldRepetitionCount(1) == 0 ? NODES.nullNode() : of(entry, 1));
        }
        return object;
    }

    private static JsonNode primitive(Group group, int field, int index, PrimitiveType type) {
        boolean isNumber = type.getLogicalTypeAnnotation() == null;
        return switch (type.getPrimitiveTypeName()) {
            case BOOLEAN -> NODES.booleanNode(group.getBoolean(field, index));
            case INT32 ->
                isNumber
                        ? NODES.numberNode(group.getInteger(field, index))
                        : NODES.textNode(type.stringifier().stringify(group.getInteger(field, index)));
            case INT64 ->
                isNumber
                        ? NODES.numberNode(group.getLong(field, index))
                        : NODES.textNode(type.stringifier().stringify(group.getLong(field, index)));
            case FLOAT -> NODES.numberNode(group.getFloat(field, index));
            case DOUBLE -> NODES.numberNode(group.getDouble(field, index));
            case INT96 -> NODES.textNode(type.stringifier().stringify(group.getInt96(field, index)));
            case BINARY, FIXED_LEN_BYTE_ARRAY ->
                NODES.textNode(
                        isNumber || type.getLogicalTypeAnnotation() instanceof StringLogicalTypeAnnotation
                                ? group.getBinary(field, index).toStringUsingUTF8()
                                : type.stringifier().stringify(group.getBinary(field, index)));
        };
    }
}
