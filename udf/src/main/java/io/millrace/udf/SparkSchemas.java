package io.millrace.udf;

import io.millrace.schemas.TableSchema;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/// The table shapes of the `schemas` module in Spark's types.
public final class SparkSchemas {

    private SparkSchemas() {}

    /// The canonical output row.
    public static StructType completion() {
        return structOf(TableSchema.completion());
    }

    private static StructType structOf(TableSchema schema) {
        return (StructType) DataType.fromJson(schema.json());
    }
}
