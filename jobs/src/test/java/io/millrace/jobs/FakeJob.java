package io.millrace.jobs;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;

/// Runs `millrace summarize` in this process with the fake engine, and reads what it wrote.
final class FakeJob {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Path output;

    FakeJob(Path output) {
        this.output = output;
    }

    /// @param more further arguments; of `-c` with the same key, the last wins
    int run(String master, String input, String... more) {
        List<String> all = new ArrayList<>(List.of("--no-gate"));
        all.addAll(List.of(more));
        return runGated(master, input, all.toArray(String[]::new));
    }

    /// As {@link #run}, with the gate on.
    int runGated(String master, String input, String... more) {
        List<String> args = new ArrayList<>(arguments(master, input));
        args.addAll(List.of(more));
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args.toArray(String[]::new));
    }

    /// The command line.
    List<String> arguments(String master, String input) {
        return List.of(
                "summarize",
                "--no-report",
                "--input",
                input,
                "--output",
                output.toString(),
                "--master",
                master,
                "-c",
                "engine.model-dir=fake-model",
                "-c",
                "engine.kind=fake");
    }

    String out() {
        return out.toString();
    }

    String err() {
        return err.toString();
    }

    /// All rows in input order.
    List<Row> rows() {
        return withSpark(spark -> spark.read()
                .parquet(output.toString())
                .orderBy("input_ref", "sample_idx")
                .collectAsList());
    }

    static <T> T withSpark(java.util.function.Function<SparkSession, T> work) {
        SparkSession spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .getOrCreate();
        try {
            return work.apply(spark);
        } finally {
            spark.stop();
        }
    }

    /// The row's status, or its error code.
    static String outcome(Row row) {
        Row error = row.getAs("error");
        return error == null ? row.getAs("status") : error.getAs("code");
    }

    /// `row group/row`.
    static String place(Row row) {
        Row place = row.getAs("input_ref");
        return place.getInt(1) + "/" + place.getLong(2);
    }
}
