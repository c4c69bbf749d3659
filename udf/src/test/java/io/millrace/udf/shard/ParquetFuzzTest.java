package io.millrace.udf.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.fuzz.Fuzz;
import io.millrace.fuzz.Mutation;
import io.millrace.fuzz.Mutations;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Damages a Parquet file of a corpus. Planning or reading it says which file and why, or every planned row
/// comes.
class ParquetFuzzTest {
    /// The library believes the head of a page, which may claim 2 GiB.
    private static final long MAX_ALLOCATED = (2L << 30) + (256 << 20);
    private static final Configuration CONF = new Configuration();
    private static final InputRecipe RECIPE =
            new InputRecipe(RecordFormat.PARQUET, "text", "id", null, List.of("title"));
    private static final MessageType SCHEMA = MessageTypeParser.parseMessageType("""
            message m {
              required int64 id;
              optional binary text (STRING);
              optional binary title (STRING);
            }""");

    @TempDir
    private Path dir = Path.of("");

    @ParameterizedTest
    @EnumSource(
            value = CompressionCodecName.class,
            names = {"UNCOMPRESSED", "SNAPPY", "ZSTD"})
    void parquet_damaged(CompressionCodecName codec) throws IOException, InterruptedException {
        Path file = dir.resolve("in.parquet");
        byte[] original = write(file, codec);
        int footer = ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN).getInt(original.length - 8);
        int data = original.length - 8 - footer;
        new Fuzz(
                        "parquet " + codec,
                        original,
                        Mutation.oneOf(
                                Mutations.bytes(0, data),
                                Mutations.bytes(data, original.length),
                                Mutations.bytes(original.length - 8, original.length)),
                        Pattern.compile("in\\.parquet(, block \\d+, rows \\d+ to \\d+)?: expected .*, got .+"),
                        MAX_ALLOCATED)
                .run(damaged -> {
                    Files.write(file, damaged);
                    return read(file);
                });
    }

    /// As a job does: the footer for the plan, then each row group.
    private static String read(Path path) throws IOException {
        InputFile file = new InputFile(
                "file:" + path,
                Files.size(path),
                Files.getLastModifiedTime(path).toMillis());
        ParquetFooter footer;
        try {
            footer = ParquetFooter.read(file, Set.of(), CONF);
        } catch (IOException e) {
            return "input " + file.name() + ": expected Parquet, got " + e.getMessage();
        }
        for (InputBlock block : footer.blocks()) {
            int rows = Math.clamp(block.rows(), 0, 1000);
            try (ShardRows shard = ShardRows.open(
                    new Shard(0, file, block.index(), block.start(), block.bytes(), 0, rows), RECIPE, CONF)) {
                int read = 0;
                while (shard.hasNext()) {
                    shard.next();
                    read++;
                }
                assertThat(read).isEqualTo(rows);
            } catch (ShardException e) {
                return e.getMessage();
            }
        }
        return null;
    }

    /// Two row groups of several pages; a dictionary, plain texts, numbers, nulls.
    private static byte[] write(Path file, CompressionCodecName codec) throws IOException {
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path("file:" + file))
                .withConf(CONF)
                .withType(SCHEMA)
                .withCompressionCodec(codec)
                .withRowGroupRowCountLimit(30)
                .withPageRowCountLimit(10)
                .build()) {
            for (int row = 0; row < 60; row++) {
                Group group = new SimpleGroup(SCHEMA);
                group.add("id", (long) row);
                if (row % 7 != 3) {
                    group.add("text", "text " + row + " ".repeat(row % 7) + row * 31);
                }
                group.add("title", "title " + row % 3);
                writer.write(group);
            }
        }
        // Hadoop's own checksums, which only its local file system has
        Files.delete(file.resolveSibling("." + file.getFileName() + ".crc"));
        return Files.readAllBytes(file);
    }

    @Test
    void read_pageThatIsDamaged_isAnErrorAndNoOtherText() throws IOException {
        Path file = dir.resolve("in.parquet");
        byte[] bytes = write(file, CompressionCodecName.UNCOMPRESSED);
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("text 2");
        bytes[at] ^= 1;
        Files.write(file, bytes);

        assertThat(read(file)).contains("in.parquet, block 0, rows 0 to 29: expected to be readable, got ", "CRC");
    }
}
