package io.millrace.udf.shard;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/// The columns that a file says it has.
public final class RecordNames {
    /// The only column of a text file.
    public static final String TEXT_VALUE = "value";

    private RecordNames() {}

    /// The columns of a file that is not Parquet; empty where each record may have its own.
    public static Optional<List<String>> of(RecordFormat format, InputFile file, Configuration conf)
            throws IOException {
        return switch (format) {
            case CSV, CSV_LINES -> Optional.of(CsvRecords.names(format, file, conf));
            case TEXT_LINES, TEXT_FILE -> Optional.of(List.of(TEXT_VALUE));
            case JSON_LINES, OPENAI_LINES -> Optional.empty();
            case PARQUET -> throw new IllegalArgumentException(file.name() + ": the footer tells");
        };
    }

    /// What is wrong with a file for who wants these columns; null if it has them all.
    static @Nullable String misfit(List<String> wanted, List<String> existing) {
        List<String> missing = wanted.stream()
                .filter(column -> Collections.frequency(existing, column) != 1)
                .toList();
        return missing.isEmpty() ? null : "expected the columns " + missing + ", each once, got " + existing;
    }

    /// The columns of a Parquet file that hold one value each.
    public static List<String> of(MessageType schema) {
        return schema.getFields().stream()
                .filter(field -> field.isPrimitive() && !field.isRepetition(Type.Repetition.REPEATED))
                .map(Type::getName)
                .toList();
    }
}
