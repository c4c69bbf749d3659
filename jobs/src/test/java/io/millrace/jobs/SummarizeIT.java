package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The whole way from the command line to committed Parquet on `local[2]`, with the fake engine of the `udf` tests in
/// place of a model.
class SummarizeIT {

    @TempDir
    private Path dir = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... args) {
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args);
    }

    private int summarize(String input, String... more) {
        List<String> args = new ArrayList<>(List.of(
                "summarize",
                "--input",
                input,
                "--output",
                dir.resolve("out").toString(),
                "--master",
                "local[2,2]",
                "--no-gate",
                "-c",
                "engine.kind=fake",
                "--model",
                "fake-model"));
        args.addAll(List.of(more));
        return execute(args.toArray(String[]::new));
    }

    private List<Row> output() {
        SparkSession spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .getOrCreate();
        try {
            return spark.read()
                    .parquet(dir.resolve("out").toString())
                    .orderBy("input_ref")
                    .collectAsList();
        } finally {
            spark.stop();
        }
    }

    @Test
    void summarize_poisonedJsonl_oneRowPerInputRow() throws IOException {
        Path input = dir.resolve("in.jsonl");
        Files.writeString(input, """
                {"id": "a", "text": "The first text to summarise", "gold": "the first text"}

                {"id": "b", "text": null}
                {"id": "c", "text": "   "}
                {"id": "d", "text": "REFUSE-ME"}
                {"id": "e", "text": "FLAKY but fine later", "gold": "flaky but fine"}
                {"id": "f", "text": "%s"}
                {"id": "g", "tex
                {"id": "h", "text": 42}
                """.formatted("long ".repeat(300)));

        int exit = summarize(
                input.toString(),
                "--text-column",
                "text",
                "--id-column",
                "id",
                "--reference-column",
                "gold",
                "-c",
                "prompt.overlong=error",
                "-c",
                "sampling.max-tokens=8");

        assertThat(exit).as(err.toString()).isEqualTo(ExitCode.OK);
        List<Row> rows = output();
        assertThat(rows)
                .extracting(row -> row.<String>getAs("custom_id"))
                .containsExactly("a", "b", "c", "d", "e", "f", null, "h");
        assertThat(rows)
                .extracting(row -> row.<Row>getAs("input_ref").getLong(2))
                .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
        assertThat(rows)
                .extracting(SummarizeIT::outcome)
                .containsExactly(
                        "ok",
                        "TEXT_NULL",
                        "TEXT_BLANK",
                        "INVALID_REQUEST",
                        "ok",
                        "PROMPT_TOO_LONG",
                        "MALFORMED_RECORD",
                        "ok");
        assertThat(out.toString()).contains("rows in            8", "rows ok            3", "rows error         5");
    }

    private static String outcome(Row row) {
        Row error = row.getAs("error");
        return error == null ? row.getAs("status") : error.getAs("code");
    }
}
