package io.millrace.udf.shard;

import io.millrace.schemas.Columns.Completion;
import io.millrace.schemas.TableSchema;
import io.millrace.udf.SparkSchemas;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampType;

/// How completion rows lie in Parquet, and what the footer of a shard says beside them.
///
/// The schema's version stands in every file's footer: Spark's own key
/// `org.apache.spark.sql.parquet.row.metadata` holds the columns with their metadata, and that of
/// `request_id` has `millrace.schema`.
public final class CompletionFormat {
    /// Key in the metadata of the first column.
    public static final String SCHEMA_KEY = "millrace.schema";
    /// Key in the footer: the shard, as JSON.
    static final String SHARD = "millrace.shard";
    /// Key in the footer: the fingerprint of the run.
    static final String FINGERPRINT = "millrace.fingerprint";
    /// Key in the footer: the rows' summary, as JSON.
    static final String SUMMARY = "millrace.summary";

    static final String SPARK_SCHEMA = "org.apache.spark.sql.parquet.row.metadata";

    private CompletionFormat() {}

    /// `completion.v3`: name and version of the rows' schema.
    public static String schemaName() {
        TableSchema schema = TableSchema.completion();
        return schema.name() + ".v" + schema.version();
    }

    /// The columns with the schema's version in their metadata.
    static StructType columns() {
        Metadata version =
                new MetadataBuilder().putString(SCHEMA_KEY, schemaName()).build();
        StructField[] fields = SparkSchemas.completion().fields();
        for (int field = 0; field < fields.length; field++) {
            StructField plain = fields[field];
            if (plain.name().equals(Completion.REQUEST_ID)) {
                fields[field] = new StructField(plain.name(), plain.dataType(), plain.nullable(), version);
            }
        }
        return new StructType(fields);
    }

    static MessageType parquet() {
        return new MessageType("completion", types(SparkSchemas.completion()));
    }

    private static List<Type> types(StructType struct) {
        List<Type> types = new ArrayList<>();
        for (StructField field : struct.fields()) {
            Type.Repetition repetition = field.nullable() ? Type.Repetition.OPTIONAL : Type.Repetition.REQUIRED;
            types.add(type(field.name(), field.dataType(), repetition));
        }
        return types;
    }

    private static Type type(String name, DataType type, Type.Repetition repetition) {
        return switch (type) {
            case StructType struct ->
                Types.buildGroup(repetition)
                        .addFields(types(struct).toArray(Type[]::new))
                        .named(name);
            case ArrayType list ->
                Types.list(repetition)
                        .element(type("element", list.elementType(), Type.Repetition.REQUIRED))
                        .named(name);
            case StringType _ ->
                Types.primitive(PrimitiveTypeName.BINARY, repetition)
                        .as(LogicalTypeAnnotation.stringType())
                        .named(name);
            case TimestampType _ ->
                Types.primitive(PrimitiveTypeName.INT64, repetition)
                        .as(LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS))
                        .named(name);
            case IntegerType _ ->
                Types.primitive(PrimitiveTypeName.INT32, repetition).named(name);
            case LongType _ ->
                Types.primitive(PrimitiveTypeName.INT64, repetition).named(name);
            case DoubleType _ ->
                Types.primitive(PrimitiveTypeName.DOUBLE, repetition).named(name);
            case BooleanType _ ->
                Types.primitive(PrimitiveTypeName.BOOLEAN, repetition).named(name);
            default -> throw new IllegalStateException("column " + name + ": no Parquet type is known for " + type);
        };
    }
}
