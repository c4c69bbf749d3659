package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The whole way from the command line to committed Parquet on `local[2]`, with the fake engine in place of
/// a model.
class SummarizeIT {
    private static final String LOCAL = "local[2,2]";

    @TempDir
    private Path dir = Path.of("");

    private FakeJob job = new FakeJob(dir);

    @BeforeEach
    void setUp() {
        job = new FakeJob(dir.resolve("out"));
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text).toString();
    }

    @Test
    void jsonl_poisonedRows_oneRowPerInputRow() throws IOException {
        String input = file("in.jsonl", """
                {"id": "a", "text": "The first text to summarise", "gold": "the first text"}

                {"id": "b", "text": null}
                {"id": "c", "text": "   "}
                {"id": "d", "text": "REFUSE-ME"}
                {"id": "e", "text": "FLAKY but fine later", "gold": "flaky but fine"}
                {"id": "f", "text": "%s"}
                {"id": "g", "tex
                {"id": "h", "text": 42}
                """.replace("%s", "long ".repeat(300)));

        int exit = job.run(
                LOCAL,
                input,
                "--text-column",
                "text",
                "--id-column",
                "id",
                "--reference-column",
                "gold",
                "-c",
                "prompt.overlong=error",
                "--max-tokens",
                "8");

        assertThat(exit).as(job.err()).isEqualTo(ExitCode.OK);
        List<Row> rows = job.rows();
        assertThat(rows)
                .extracting(row -> row.<String>getAs("custom_id"))
                .containsExactly("a", "b", "c", "d", "e", "f", "g", "h");
        assertThat(rows)
                .extracting(FakeJob::place)
                .containsExactly("0/0", "0/1", "0/2", "0/3", "0/4", "0/5", "0/6", "0/7");
        assertThat(rows)
                .extracting(FakeJob::outcome)
                .containsExactly(
                        "ok",
                        "TEXT_NULL",
                        "TEXT_BLANK",
                        "INVALID_REQUEST",
                        "ok",
                        "PROMPT_TOO_LONG",
                        "MALFORMED_RECORD",
                        "ok");
        assertThat(job.out()).contains("rows in            8", "rows ok            3", "rows error         5");
        assertThat(manifest().at("/planned_rows").asInt()).isEqualTo(8);
        assertThat(manifest().at("/counts/ok").asInt()).isEqualTo(3);
        assertThat(manifest().at("/inputs/0/counts/error").asInt()).isEqualTo(5);
        assertThat(manifest().at("/errors/TEXT_NULL").asInt()).isEqualTo(1);
        assertThat(manifest().at("/digest").asText()).hasSize(64);
        assertThat(manifest().at("/starts/0/command/0").asText()).isEqualTo("summarize");
        assertThat(manifest().at("/state").asText()).isEqualTo("committed");
    }

    private JsonNode manifest() throws IOException {
        return new ObjectMapper().readTree(dir.resolve("out/_millrace/run.json").toFile());
    }

    @Test
    void parquet_rowGroupsAndLimit_rowsSayWhereTheyAre() {
        String input = dir.resolve("in put.parquet").toString();
        int exact = FakeJob.withSpark(spark -> {
            List<String> texts =
                    IntStream.range(0, 3000).mapToObj(index -> "text " + index).toList();
            spark.createDataset(texts, Encoders.STRING())
                    .toDF("body")
                    .withColumn("lang", functions.lit("en"))
                    .coalesce(1)
                    .write()
                    .option("parquet.block.row.count.limit", "1000")
                    .parquet(input);
            return texts.size();
        });

        int exit = job.run(
                LOCAL,
                input,
                "--text-column",
                "body",
                "--prompt-template",
                "{lang} {text}",
                "--limit",
                "2500",
                "-c",
                "plan.shard-rows=400");

        assertThat(exit).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(exact).isEqualTo(3000);
        List<Row> rows = job.rows();
        assertThat(rows).hasSize(2500);
        for (int row = 0; row < rows.size(); row++) {
            assertThat(FakeJob.place(rows.get(row))).isEqualTo(row / 1000 + "/" + row % 1000);
            assertThat(rows.get(row).<String>getAs("output_text")).isEqualTo(firstTwelve("en text " + row));
        }
    }

    private static String firstTwelve(String text) {
        return text.substring(0, Math.min(12, text.length()));
    }

    @Test
    void output_footer_namesTheSchemaAndZstd() throws IOException {
        assertThat(job.run(LOCAL, file("in.txt", "one\ntwo\n"))).as(job.err()).isZero();

        try (Stream<Path> files = Files.list(dir.resolve("out"))) {
            Path part = files.filter(path -> path.toString().endsWith(".parquet"))
                    .findFirst()
                    .orElseThrow();
            try (ParquetFileReader reader = ParquetFileReader.open(
                    HadoopInputFile.fromPath(new org.apache.hadoop.fs.Path(part.toUri()), new Configuration()))) {
                ParquetMetadata footer = reader.getFooter();
                assertThat(footer.getFileMetaData()
                                .getKeyValueMetaData()
                                .get("org.apache.spark.sql.parquet.row.metadata"))
                        .contains("\"millrace.schema\":\"completion.v3\"");
                assertThat(footer.getBlocks())
                        .allSatisfy(block -> assertThat(block.getColumns())
                                .allSatisfy(column ->
                                        assertThat(column.getCodec().name()).isEqualTo("ZSTD")));
            }
        }
        assertThat(dir.resolve("out/_SUCCESS")).exists();
        assertThat(dir.resolve("out/_millrace/staging")).isEmptyDirectory();
    }

    @Test
    void text_directoryOfFiles_isCountedPerFile() throws IOException {
        Path texts = Files.createDirectory(dir.resolve("texts"));
        Files.writeString(texts.resolve("a.txt"), "a0\na1\n\na3");
        Files.writeString(texts.resolve("b.txt"), "b0\n");

        assertThat(job.run(LOCAL, texts.toString())).as(job.err()).isZero();
        assertThat(job.rows())
                .extracting(row -> row.<Row>getAs("input_ref").getString(0).replaceAll(".*/", "") + " "
                        + FakeJob.place(row) + " " + FakeJob.outcome(row))
                .containsExactly(
                        "a.txt 0/0 ok", "a.txt 0/1 ok", "a.txt 0/2 TEXT_BLANK", "a.txt 0/3 ok", "b.txt 0/0 ok");
    }

    @Test
    void text_wholeFiles_isOneRowPerFile() throws IOException {
        Path texts = Files.createDirectory(dir.resolve("texts"));
        Files.writeString(texts.resolve("a.txt"), "a0\na1\n");
        Files.writeString(texts.resolve("b.txt"), "b0\n");

        assertThat(job.run(LOCAL, texts + "/*.txt", "--whole-files"))
                .as(job.err())
                .isZero();
        assertThat(job.rows())
                .extracting(row -> row.<String>getAs("output_text"))
                .containsExactly("a0\na1\n", "b0\n");
    }

    @Test
    void csv_quotesAndLines_areRead() throws IOException {
        String input = file("in.csv", "id,text\n1,\"a, \"\"b\"\"\nc\"\n2,\n3,plain\n");

        assertThat(job.run(
                        LOCAL, input, "--text-column", "text", "--id-column", "id", "-c", "input.multi-line-csv=true"))
                .as(job.err())
                .isZero();
        assertThat(job.rows())
                .extracting(row -> row.getAs("custom_id") + " " + FakeJob.outcome(row) + " " + row.getAs("output_text"))
                .containsExactly("1 ok a, \"b\"\nc", "2 TEXT_NULL null", "3 ok plain");
    }

    @Test
    void output_foreignFiles_areRefusedAndKept() throws IOException {
        String input = file("in.txt", "one\n");
        Files.createDirectories(dir.resolve("out"));
        Path foreign = Files.writeString(dir.resolve("out/mine.txt"), "keep me");

        assertThat(job.run(LOCAL, input)).isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("expected an empty directory, got one with mine.txt");
        assertThat(foreign).hasContent("keep me");
    }

    @Test
    void engine_cannotOpen_isSaidAndTakesNothing() throws IOException {
        String input = file("in.txt", "one\n");

        assertThat(job.run(LOCAL, input, "-c", "engine.model-dir=broken")).isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("millrace: model broken: expected a model, got a test");
        assertThat(dir.resolve("out")).doesNotExist();

        assertThat(job.run(LOCAL, input)).as(job.err()).isZero();
        assertThat(job.rows()).hasSize(1);
    }

    @Test
    void input_missingOrUnknown_isSaidPlainly() throws IOException {
        assertThat(job.run(LOCAL, dir.resolve("none.jsonl").toString(), "--text-column", "t"))
                .isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("none.jsonl: expected a file, directory or glob, got no file there");

        assertThat(job.run(LOCAL, "s3a://bucket/x.parquet", "--text-column", "t"))
                .isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("hadoop-aws").contains("not bundled");

        assertThat(job.run(LOCAL, file("in.csv", "a,b\n1,2\n"), "--text-column", "t"))
                .isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("expected the columns [t], got [a, b]");
    }
}
