package io.millrace.notebooks;

import io.github.spencerpark.jupyter.kernel.display.DisplayData;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.SparkSessions;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.internal.chartpart.Chart;
import picocli.CommandLine;

/// What the cells of a notebook call: runs, their rows, and how they are shown. Of one process, as its kernel
/// is; not for several threads.
public final class Notebook {
    private static @Nullable Kernel kernel;
    private static @Nullable SparkSession spark;

    private Notebook() {}

    static void open(Kernel opened) {
        kernel = opened;
    }

    private static Kernel kernel() {
        return Objects.requireNonNull(kernel, "a notebook's kernel is open before its cells");
    }

    // ---- running ----

    /// The command `millrace`, in this process, with the words of the command line.
    ///
    /// @throws IllegalStateException if it ends with another exit code than 0
    public static void millrace(String... arguments) {
        // a run opens a session of its own, with the engine
        if (spark != null) {
            spark.stop();
            spark = null;
        }
        CommandLine command = Millrace.commandLine();
        command.setOut(new PrintWriter(kernel().getIO().out, true, StandardCharsets.UTF_8));
        command.setErr(new PrintWriter(kernel().getIO().err, true, StandardCharsets.UTF_8));
        int exit = command.execute(arguments);
        if (exit != 0) {
            throw new IllegalStateException(
                    "millrace " + String.join(" ", arguments) + ": expected exit code 0, got " + exit);
        }
    }

    /// Whether a run has finished.
    ///
    /// @param output its folder, on this machine
    public static boolean isFinished(String output) {
        return Files.exists(Path.of(output, "_SUCCESS"));
    }

    /// The rows of a run, by the columns of `schemas`.
    ///
    /// @param output its folder
    public static Dataset<Row> rows(String output) {
        if (spark == null) {
            spark = SparkSessions.open("notebook", "local[2]");
        }
        return spark.read().parquet(output);
    }

    // ---- showing ----

    /// Shows all rows: for tables that are small.
    public static void table(Dataset<Row> rows) {
        table(rows.collectAsList(), rows.columns());
    }

    /// The same of rows that have been collected.
    ///
    /// @param columns which of their columns
    public static void table(List<Row> rows, String... columns) {
        String head = String.join("</th><th>", columns);
        String body = rows.stream().map(row -> line(row, columns)).collect(Collectors.joining());
        DisplayData data = new DisplayData(rows.size() + " rows");
        data.putHTML("<table><tr><th>" + head + "</th></tr>" + body + "</table>");
        kernel().display(data);
    }

    private static String line(Row row, String... columns) {
        return Stream.of(columns)
                .map(column -> "<td style='text-align: left'>" + cell(row.getAs(column)) + "</td>")
                .collect(Collectors.joining("", "<tr>", "</tr>"));
    }

    private static String cell(@Nullable Object value) {
        return switch (value) {
            case null -> "";
            case Double number -> String.format(Locale.ROOT, "%.3f", number);
            default -> escaped(value.toString());
        };
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /// Shows a chart as a picture.
    public static void show(Chart<?, ?> chart) {
        kernel().display(kernel().getRenderer().render(BitmapEncoder.getBufferedImage(chart)));
    }
}
