package io.millrace.quality;

import io.millrace.schemas.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/// A whole audit of a few made-up rows, thrown away: loads the classes, compiles the plans and starts the
/// pools that the first real audit would otherwise wait for. Its rows break most starter rules, so that the
/// search for examples is warmed too.
final class WarmUp {

    private static final long ROWS = 16;

    private WarmUp() {}

    static void run(SparkSession spark) throws IOException {
        Path folder = Files.createTempDirectory("millrace-quality-warm-up");
        try {
            Path output = folder.resolve("output");
            write(spark, output);
            new Audit(spark, InstantSource.system())
                    .run(new AuditRequest(
                            List.of(output.toString()),
                            null,
                            OptionalLong.of(ROWS),
                            Map.of("text", ROWS),
                            List.of(),
                            1,
                            folder.resolve("verdict.json"),
                            folder.resolve("metrics.json"),
                            null,
                            null,
                            Map.of()));
        } finally {
            delete(folder);
        }
    }

    private static void write(SparkSession spark, Path output) {
        StructType schema =
                (StructType) DataType.fromJson(TableSchema.completion().json());
        List<Column> columns = new ArrayList<>();
        for (StructField field : schema.fields()) {
            columns.add(value(field.dataType()).as(field.name()));
        }
        spark.range(0, ROWS, 1, 2)
                .select(columns.toArray(Column[]::new))
                .write()
                .parquet(output.toString());
    }

    private static Column value(DataType type) {
        if (type instanceof StructType struct) {
            return functions.struct(Stream.of(struct.fields())
                    .map(field -> value(field.dataType()).as(field.name()))
                    .toArray(Column[]::new));
        }
        return switch (type.typeName()) {
            case "string" -> functions.when(functions.col("id").lt(ROWS / 2), "text");
            case "boolean" -> functions.col("id").lt(1);
            case "timestamp" -> functions.current_timestamp();
            case "array" -> functions.lit(null).cast(type);
            default -> functions.col("id").cast(type);
        };
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
