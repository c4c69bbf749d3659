package io.millrace.udf.shard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordsTest {
    private static final Configuration CONF = new Configuration();

    @TempDir
    private Path dir = Path.of("");

    private InputFile file(String name, String text) throws IOException {
        return described(Files.writeString(dir.resolve(name), text));
    }

    private static InputFile described(Path path) throws IOException {
        return new InputFile(
                "file:" + path,
                Files.size(path),
                Files.getLastModifiedTime(path).toMillis());
    }

    private static Shard whole(InputFile file) {
        return new Shard(0, file, 0, 0, file.bytes(), 0, Integer.MAX_VALUE);
    }

    private static List<String> read(RecordFormat format, Shard shard, String... columns) throws IOException {
        List<String> rows = new ArrayList<>();
        try (Records records = Records.open(format, shard, List.of(columns), CONF)) {
            while (records.next()) {
                List<String> values = new ArrayList<>();
                for (int column = 0; column < columns.length; column++) {
                    values.add(String.valueOf(records.value(column)));
                }
                Records.Fault fault = records.fault();
                rows.add(fault == null ? String.join("|", values) : fault.kind() + " " + fault.raw());
            }
        }
        return rows;
    }

    @Test
    void textLines_everyEndOfLine_isARecordEach() throws IOException {
        InputFile file = file("in.txt", "\ufeffone\r\ntwo\n\nthree\rfour");

        assertThat(read(RecordFormat.TEXT_LINES, whole(file), "value"))
                .containsExactly("one", "two", "", "three", "four");
    }

    @Test
    void textLines_cutAnywhere_eachLineIsInOneStretch() throws IOException {
        InputFile file = file("in.txt", "a\nbb\n\nccc\nd\n");
        List<String> lines = List.of("a", "bb", "", "ccc", "d");

        for (long cut = 1; cut < file.bytes(); cut++) {
            List<String> found =
                    new ArrayList<>(read(RecordFormat.TEXT_LINES, new Shard(0, file, 0, 0, cut, 0, 9), "value"));
            found.addAll(read(RecordFormat.TEXT_LINES, new Shard(1, file, 1, cut, file.bytes() - cut, 0, 9), "value"));
            assertThat(found).as("cut at " + cut).isEqualTo(lines);
        }
    }

    @Test
    void textFile_isOneRecord() throws IOException {
        assertThat(read(RecordFormat.TEXT_FILE, whole(file("in.txt", "one\ntwo\n")), "value"))
                .containsExactly("one\ntwo\n");
    }

    @Test
    void gzip_isDecompressedByItsName() throws IOException {
        Path path = dir.resolve("in.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(path))) {
            out.write("{\"t\": 1}\n{\"t\": 2}\n".getBytes(StandardCharsets.UTF_8));
        }

        assertThat(read(RecordFormat.JSON_LINES, whole(described(path)), "t")).containsExactly("1", "2");
    }

    @Test
    void json_valuesOfEveryKind_areTexts() throws IOException {
        InputFile file = file("in.jsonl", """
                {"t": "a\\u0041\\n", "n": 1.50, "other": {"t": "not this"}}
                {"n": true, "t": null}
                \t
                {"n": {"x": [1, 2]}, "t": "\\ud83d\\ude00"}
                {'t': 'single'}
                """);

        assertThat(read(RecordFormat.JSON_LINES, whole(file), "t", "n"))
                .containsExactly("aA\n|1.50", "null|true", "\uD83D\uDE00|{\"x\":[1,2]}", "single|null");
    }

    @Test
    void json_whatIsNoObject_isMalformedAndKept() throws IOException {
        InputFile file = file("in.jsonl", """
                {"t": "cut
                [{"t": "list"}]
                "text"
                {"t": "two"} {"t": "objects"}
                {"t": "fine"}
                """);

        assertThat(read(RecordFormat.JSON_LINES, whole(file), "t"))
                .containsExactly(
                        "MALFORMED_RECORD {\"t\": \"cut",
                        "SCHEMA_MISMATCH [{\"t\": \"list\"}]",
                        "SCHEMA_MISMATCH \"text\"",
                        "MALFORMED_RECORD {\"t\": \"two\"} {\"t\": \"objects\"}",
                        "fine");
    }

    @Test
    void csvLines_quotesAndRecordsOfOtherLengths() throws IOException {
        InputFile file = file("in.csv", "\nid,text,more\n1,\"a, \"\"b\"\"\",x\n\n2,\n3,\"\", y \n4,a,b,c\n\0,,z\n");

        assertThat(read(RecordFormat.CSV_LINES, whole(file), "text", "more"))
                .containsExactly("a, \"b\"|x", "SCHEMA_MISMATCH 2,", "| y ", "SCHEMA_MISMATCH 4,a,b,c", "null|z");
    }

    @Test
    void json_longTextsAreRead_andDeepOnesAreMalformed() throws IOException {
        String text = "long ".repeat(5_000_000);
        String deep = "{\"t\": " + "[".repeat(5000) + "]".repeat(5000) + "}";
        InputFile file = file("in.jsonl", "{\"t\": \"" + text + "\"}\n" + deep + "\n");

        assertThat(read(RecordFormat.JSON_LINES, whole(file), "t")).containsExactly(text, "MALFORMED_RECORD " + deep);
    }

    @Test
    void csvLines_moreColumnsThanThereMayBe_isMalformed() throws IOException {
        String wide = "x,".repeat(30_000);
        InputFile file = file("in.csv", "a\n1\n" + wide + "\n2\n");

        assertThat(read(RecordFormat.CSV_LINES, whole(file), "a")).containsExactly("1", "SCHEMA_MISMATCH " + wide, "2");
    }

    @Test
    void csvLines_laterStretch_knowsTheHeader() throws IOException {
        InputFile file = file("in.csv", "id,text\n1,a\n2,b\n3,c\n");

        assertThat(read(RecordFormat.CSV_LINES, new Shard(1, file, 1, 13, file.bytes() - 13, 0, 9), "text"))
                .containsExactly("c");
    }

    @Test
    void csv_recordsOverLines() throws IOException {
        InputFile file = file("in.csv", "id,text\r\n1,\"two\r\nlines\"\r\n2,one\r\n");

        assertThat(read(RecordFormat.CSV, whole(file), "id", "text")).containsExactly("1|two\r\nlines", "2|one");
        assertThat(RecordNames.of(RecordFormat.CSV, file, CONF)).contains(List.of("id", "text"));
    }

    @Test
    void open_shardInTheMiddle_beginsAtItsFirstRow() throws IOException {
        InputFile file = file("in.txt", "0\n1\n2\n3\n4\n");

        assertThat(read(RecordFormat.TEXT_LINES, new Shard(1, file, 0, 0, file.bytes(), 2, 2), "value")
                        .subList(0, 2))
                .containsExactly("2", "3");
    }

    @Test
    void count_leavesOutWhatIsNoRecord() throws IOException {
        InputFile json = file("in.jsonl", "{}\n\n  \nbroken\n");
        InputFile csv = file("in.csv", "a\n1\n\n2\n");

        assertThat(CountRecords.count(RecordFormat.JSON_LINES, whole(json), CONF))
                .isEqualTo(2);
        assertThat(CountRecords.count(RecordFormat.CSV_LINES, whole(csv), CONF)).isEqualTo(2);
        assertThat(CountRecords.count(RecordFormat.CSV_LINES, new Shard(0, csv, 0, 0, csv.bytes(), 0, 1), CONF))
                .isEqualTo(1);
    }

    /// Row groups of 1000 rows in pages of at most 100.
    private InputFile parquet(MessageType schema, int rows) throws IOException {
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path("file:" + dir.resolve("in.parquet"));
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(path)
                .withConf(CONF)
                .withType(schema)
                .withRowGroupRowCountLimit(1000)
                .withPageRowCountLimit(100)
                .build()) {
            for (int row = 0; row < rows; row++) {
                Group group = new SimpleGroup(schema);
                if (row % 7 != 3) {
                    group.add("text", "row " + row);
                }
                group.add("id", (long) row);
                group.add("day", row);
                group.add("half", row / 2.0);
                group.add("bytes", Binary.fromString("raw " + row));
                writer.write(group);
            }
        }
        return described(dir.resolve("in.parquet"));
    }

    private static final MessageType SCHEMA = MessageTypeParser.parseMessageType("""
            message m {
              required int64 id;
              optional binary text (STRING);
              optional int32 day (DATE);
              optional double half;
              optional binary bytes;
            }""");

    private static String expected(int row) {
        return row % 7 == 3 ? "null" : "row " + row;
    }

    @Test
    void parquet_anyRangeOfARowGroup_isRead() throws IOException {
        InputFile file = parquet(SCHEMA, 2500);

        for (int[] range :
                new int[][] {{0, 0, 1000}, {0, 1, 1}, {1, 99, 2}, {1, 100, 100}, {1, 950, 50}, {2, 499, 1}}) {
            Shard shard = new Shard(0, file, range[0], 0, 0, range[1], range[2]);
            List<String> rows = read(RecordFormat.PARQUET, shard, "text", "id").subList(0, range[2]);
            int first = range[0] * 1000 + range[1];
            assertThat(rows)
                    .as(shard.toString())
                    .isEqualTo(IntStream.range(first, first + range[2])
                            .mapToObj(row -> expected(row) + "|" + row)
                            .toList());
        }
    }

    @Test
    void parquet_fewRows_readFewPages() throws IOException {
        InputFile file = parquet(SCHEMA, 1000);
        try (ParquetFileReader reader =
                ParquetFileReader.open(HadoopInputFile.fromPath(new org.apache.hadoop.fs.Path(file.name()), CONF))) {
            BlockMetaData rowGroup = reader.getRowGroups().getFirst();
            assertThat(reader.readOffsetIndex(rowGroup.getColumns().get(1)).getPageCount())
                    .isEqualTo(10);
        }

        assertThat(read(RecordFormat.PARQUET, new Shard(0, file, 0, 0, 0, 550, 20), "text"))
                .as("the rest of the page follows, but no other page")
                .hasSize(50)
                .startsWith(expected(550));
    }

    @Test
    void parquet_otherTypes_areTexts() throws IOException {
        InputFile file = parquet(SCHEMA, 3);

        assertThat(read(RecordFormat.PARQUET, new Shard(0, file, 0, 0, 0, 0, 3), "day", "half", "bytes"))
                .containsExactly("1970-01-01|0.0|raw 0", "1970-01-02|0.5|raw 1", "1970-01-03|1.0|raw 2");
        assertThat(read(RecordFormat.PARQUET, new Shard(0, file, 0, 0, 0, 0, 3), "day", "absent"))
                .containsOnly("SCHEMA_MISMATCH null");
    }

    @Test
    void parquet_columnOfLists_isAMismatch() throws IOException {
        MessageType schema = MessageTypeParser.parseMessageType(
                "message m { optional binary text (STRING); repeated binary many (STRING); }");
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path("file:" + dir.resolve("in.parquet"));
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(path)
                .withConf(CONF)
                .withType(schema)
                .build()) {
            Group group = new SimpleGroup(schema);
            group.add("text", Binary.fromConstantByteArray(new byte[] {'a', (byte) 0xED, (byte) 0xA0, (byte) 0x80}));
            group.add("many", "x");
            writer.write(group);
        }
        InputFile file = described(dir.resolve("in.parquet"));

        assertThat(read(RecordFormat.PARQUET, whole(file), "many")).containsExactly("SCHEMA_MISMATCH null");
        assertThat(read(RecordFormat.PARQUET, whole(file), "text"))
                .containsExactly("TEXT_NOT_UNICODE a\\xED\\xA0\\x80");
    }

    // ---- what no format should hold

    /// The text's bytes, with one that is no UTF-8 for each question mark.
    private InputFile invalid(String name, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = bytes[at] == '?' ? (byte) 0xFF : bytes[at];
        }
        return described(Files.write(dir.resolve(name), bytes));
    }

    private static List<String> reasons(RecordFormat format, InputFile file, String... columns) throws IOException {
        List<String> reasons = new ArrayList<>();
        try (Records records = Records.open(format, whole(file), List.of(columns), CONF)) {
            while (records.next()) {
                Records.Fault fault = records.fault();
                reasons.add(fault == null ? "fine" : fault.reason());
            }
        }
        return reasons;
    }

    @Test
    void bytesThatAreNoUtf8_inEveryFormatOfText_areSpelt() throws IOException {
        assertThat(read(RecordFormat.TEXT_LINES, whole(invalid("a.txt", "a?b\n\uFFFD\n")), "value"))
                .containsExactly("TEXT_NOT_UNICODE a\\xFFb", "\uFFFD");
        assertThat(read(RecordFormat.TEXT_FILE, whole(invalid("b.txt", "a?\n")), "value"))
                .containsExactly("TEXT_NOT_UNICODE a\\xFF\n");
        assertThat(read(RecordFormat.JSON_LINES, whole(invalid("a.jsonl", "{\"t\":\"a?b\"}\n{\"t\":1}\n")), "t"))
                .containsExactly("TEXT_NOT_UNICODE {\"t\":\"a\\xFFb\"}", "1");
        assertThat(read(RecordFormat.CSV_LINES, whole(invalid("a.csv", "t,u\n1,a?\n2,b\n")), "t"))
                .containsExactly("TEXT_NOT_UNICODE 1,a\\xFF", "2");
        assertThat(read(RecordFormat.CSV, whole(invalid("b.csv", "\uFEFFt,u\n1,\"a?\nb\"\n\u4E2D,b\n")), "u", "t"))
                .containsExactly("TEXT_NOT_UNICODE a\\xFF\nb", "b|\u4E2D");
        assertThat(reasons(RecordFormat.TEXT_LINES, invalid("c.txt", "ab?\n"), "value"))
                .containsExactly("expected UTF-8, got the byte 0xFF at byte 2");
    }

    @Test
    void json_unpairedSurrogate_isNotUnicodeAndOtherFieldsAreKept() throws IOException {
        InputFile file = file("in.jsonl", "{\"id\":\"a\",\"t\":\"ab\\ud83dc\"}\n");

        assertThat(reasons(RecordFormat.JSON_LINES, file, "t", "id"))
                .containsExactly("column t: expected Unicode text, got the unpaired surrogate U+D83D at character 2");
        try (Records records = Records.open(RecordFormat.JSON_LINES, whole(file), List.of("t", "id"), CONF)) {
            assertThat(records.next()).isTrue();
            assertThat(records.value(0)).isNull();
            assertThat(records.value(1)).isEqualTo("a");
        }
    }

    @Test
    void json_structureForTheText_isAMismatchAndForAnotherColumnItsSpelling() throws IOException {
        InputFile file = file("in.jsonl", "{\"t\":{\"en\":\"x\"}}\n{\"t\":[1]}\n{\"t\":\"x\",\"tags\":[1, 2]}\n");

        assertThat(reasons(RecordFormat.JSON_LINES, file, "t", "tags"))
                .containsExactly(
                        "column t: expected a text, got an object", "column t: expected a text, got an array", "fine");
        assertThat(read(RecordFormat.JSON_LINES, whole(file), "t", "tags"))
                .last()
                .isEqualTo("x|[1,2]");
    }

    @Test
    void csv_fileOfAnotherHeader_isAMismatchInEveryRecord() throws IOException {
        InputFile other = file("in.csv", "id,body\n1,a\n2,b\n");
        InputFile twice = file("twice.csv", "text,text\n1,a\n");

        assertThat(reasons(RecordFormat.CSV_LINES, other, "text"))
                .containsOnly("expected the columns [text], each once, got [id, body]")
                .hasSize(2);
        assertThat(reasons(RecordFormat.CSV, twice, "text"))
                .containsOnly("expected the columns [text], each once, got [text, text]");
    }

    @Test
    void csv_overLines_recordOfAnotherLength_isAMismatch() throws IOException {
        InputFile file = file("in.csv", "id,text\n1,\"two\nlines\"\n2\n3,a,b\n4,last\n");

        assertThat(read(RecordFormat.CSV, whole(file), "text"))
                .containsExactly("two\nlines", "SCHEMA_MISMATCH 2", "SCHEMA_MISMATCH 3,a,b", "last");
    }
}
