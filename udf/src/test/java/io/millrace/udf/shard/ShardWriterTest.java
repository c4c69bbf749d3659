package io.millrace.udf.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.SparkSchemas;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

class ShardWriterTest {
    private static final Configuration CONF = new Configuration();
    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final String FINGERPRINT = "f".repeat(64);
    private static final Shard SHARD = new Shard(3, new InputFile("file:/in", 10, 20), 1, 0, 10, 40, 5);

    @TempDir
    private Path dir = Path.of("");

    private OutputDir output = new OutputDir("");

    @BeforeEach
    void staging() throws IOException {
        output = new OutputDir("file:" + dir);
        Files.createDirectories(dir.resolve("_millrace/staging"));
    }

    /// A row that holds a value of its type in every column, save those that are said.
    private static Row row(int number, Map<String, @Nullable Object> said) {
        @Nullable Object[] values = values(SCHEMA, number);
        said.forEach((column, value) -> values[SCHEMA.fieldIndex(column)] = value);
        return RowFactory.create(values);
    }

    private static @Nullable Object[] values(StructType schema, int number) {
        @Nullable Object[] values = new @Nullable Object[schema.length()];
        for (int field = 0; field < values.length; field++) {
            StructField column = schema.apply(field);
            values[field] = switch (column.dataType().typeName()) {
                case "struct" -> RowFactory.create(values((StructType) column.dataType(), number));
                case "array" -> array((ArrayType) column.dataType(), number);
                case "integer" -> number + field;
                case "long" -> (long) number * field;
                case "double" -> number / 3.0;
                case "boolean" -> number % 2 == 0;
                case "timestamp" -> Timestamp.from(Instant.ofEpochSecond(1_700_000_000L + number, 123_456_000));
                default -> column.name() + " ü \ud83d\ude00 " + number;
            };
        }
        return values;
    }

    /// None to two items.
    private static Seq<Object> array(ArrayType type, int number) {
        List<Object> items = new ArrayList<>();
        for (int item = 0; item < number % 3; item++) {
            items.add(RowFactory.create(values((StructType) type.elementType(), number + item)));
        }
        return CollectionConverters.asScala(items).toSeq();
    }

    private static Row row(int number) {
        return row(number, Map.of());
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.walk(dir)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> dir.relativize(file).toString())
                    .toList();
        }
    }

    private RowSummary write(List<Row> rows) {
        try (ShardWriter writer = ShardWriter.open(SHARD, output, FINGERPRINT, CONF)) {
            rows.forEach(writer::write);
            return writer.commit();
        }
    }

    private org.apache.hadoop.fs.Path committed() {
        return output.file(SHARD.outputName(FINGERPRINT));
    }

    @Test
    void commit_rowsReadBack_areTheSame() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (int number = 0; number < 5; number++) {
            rows.add(row(number));
        }
        Row bare = row(5, Collections.singletonMap(Completion.RowError.COLUMN, null));
        rows.add(bare);

        RowSummary summary = write(rows);

        List<Row> found = new ArrayList<>();
        try (CommittedRows committed = CommittedRows.open(committed(), CONF)) {
            committed.forEachRemaining(found::add);
        }
        assertThat(found).isEqualTo(rows);
        assertThat(CommittedShard.read(committed(), CONF)).isEqualTo(new CommittedShard(SHARD, FINGERPRINT, summary));
        assertThat(files()).containsExactly(SHARD.outputName(FINGERPRINT));
    }

    @Test
    void close_withoutCommit_leavesNothing() throws IOException {
        try (ShardWriter writer = ShardWriter.open(SHARD, output, FINGERPRINT, CONF)) {
            writer.write(row(1));
            assertThat(files()).singleElement().asString().startsWith("_millrace/staging/part-");
        }

        assertThat(files()).isEmpty();
    }

    @Test
    void commit_twice_isThereOnce() throws IOException {
        write(List.of(row(1)));
        write(List.of(row(2)));

        assertThat(files()).containsExactly(SHARD.outputName(FINGERPRINT));
        try (CommittedRows committed = CommittedRows.open(committed(), CONF)) {
            assertThat(committed.next()).isEqualTo(row(2));
        }
    }

    @Test
    void open_stagingGone_saysWhich() throws IOException {
        Files.delete(dir.resolve("_millrace/staging"));
        Files.delete(dir.resolve("_millrace"));
        Files.createFile(dir.resolve("_millrace"));

        assertThatThrownBy(() -> ShardWriter.open(SHARD, output, FINGERPRINT, CONF))
                .isInstanceOf(ShardException.class)
                .hasMessageContaining("output " + committed() + ": expected to be writable, got ");
    }

    @Test
    void read_tornFile_saysWhich() throws IOException {
        write(List.of(row(1)));
        Path file = dir.resolve(SHARD.outputName(FINGERPRINT));
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));

        assertThatThrownBy(() -> CommittedShard.read(committed(), CONF))
                .isInstanceOf(ShardException.class)
                .hasMessageContaining(file.getFileName() + ": expected a committed shard, got ");
    }

    @Test
    void digest_dependsOnRowsAndNotOnTheirOrder() {
        String digest = write(List.of(row(1), row(2), row(3))).digest();

        assertThat(write(List.of(row(3), row(1), row(2))).digest()).isEqualTo(digest);
        assertThat(RowDigest.sum(
                        write(List.of(row(2))).digest(),
                        write(List.of(row(1), row(3))).digest()))
                .isEqualTo(digest);
        assertThat(write(List.of(row(1), row(2))).digest()).isNotEqualTo(digest);
        assertThat(write(List.of(row(1), row(2), row(3), row(3))).digest()).isNotEqualTo(digest);
    }

    @Test
    void digest_everyColumnCounts_savePerRunOnes() {
        String digest = write(List.of(row(1))).digest();
        for (StructField column : SCHEMA.fields()) {
            Row other = row(1, Map.of(column.name(), row(2).get(SCHEMA.fieldIndex(column.name()))));
            boolean counts = !Completion.INCIDENTAL.contains(column.name());
            assertThat(write(List.of(other)).digest().equals(digest))
                    .as(column.name())
                    .isEqualTo(!counts);
        }
    }

    @Test
    void summary_countsStatesErrorsAndTokens() {
        Row failed = row(1, Map.of(Completion.STATUS, "error"));
        Map<String, @Nullable Object> said = new HashMap<>();
        said.put(Completion.STATUS, "ok");
        said.put(Completion.RowError.COLUMN, null);
        Row fine = row(2, said);

        RowSummary summary = write(List.of(failed, fine, fine));

        int prompt = SCHEMA.fieldIndex(Completion.PROMPT_TOKENS);
        assertThat(summary.rows()).isEqualTo(3);
        assertThat(summary.states()).isEqualTo(Map.of("error", 1L, "ok", 2L));
        assertThat(summary.errors()).hasSize(1).containsValue(1L);
        assertThat(summary.promptTokens()).isEqualTo(failed.getInt(prompt) + 2L * fine.getInt(prompt));
        assertThat(summary.plus(RowSummary.NONE)).isEqualTo(summary);
        assertThat(RowSummary.ofJson(summary.toJson())).isEqualTo(summary);
    }

    @Test
    void identity_changesWithWhatTheShardIs() {
        String name = SHARD.outputName(FINGERPRINT);

        assertThat(Shard.idOfName(name)).hasValue(SHARD.id(FINGERPRINT));
        assertThat(new Shard(9, SHARD.file(), 1, 0, 10, 40, 5).outputName(FINGERPRINT))
                .as("its number is no part of it")
                .isEqualTo(name);
        assertThat(List.of(
                        SHARD.outputName("e".repeat(64)),
                        new Shard(3, SHARD.file(), 2, 0, 10, 40, 5).outputName(FINGERPRINT),
                        new Shard(3, SHARD.file(), 1, 0, 10, 41, 5).outputName(FINGERPRINT),
                        new Shard(3, SHARD.file(), 1, 0, 10, 40, 4).outputName(FINGERPRINT),
                        new Shard(3, new InputFile("file:/in", 10, 21), 1, 0, 10, 40, 5).outputName(FINGERPRINT),
                        new Shard(3, new InputFile("file:/in", 11, 20), 1, 0, 10, 40, 5).outputName(FINGERPRINT)))
                .doesNotContain(name)
                .doesNotHaveDuplicates();
        assertThat(Shard.idOfName("part-00000-x.snappy.parquet")).isEmpty();
        assertThat(Shard.ofJson(SHARD.toJson())).isEqualTo(SHARD);
    }
}
