package io.millrace.jobs.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.Millrace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;

/// Runs `millrace generate` in this process, and reads what it wrote.
final class GenerateRun {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path output;
    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    GenerateRun(Path output) {
        this.output = output;
    }

    int run(Path pipeline, String... more) {
        List<String> args = new ArrayList<>(List.of("generate", "--pipeline", pipeline.toString()));
        args.addAll(List.of("--output", output.toString(), "--master", "local[2,2]", "--no-gate", "--no-report"));
        args.addAll(List.of("-c", "spark.sql.shuffle.partitions=2"));
        args.addAll(List.of(more));
        out = new StringWriter();
        err = new StringWriter();
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args.toArray(String[]::new));
    }

    String out() {
        return out.toString();
    }

    String err() {
        return err.toString();
    }

    /// The table of a step, by its folder's name.
    List<Row> rows(String step) {
        return read("steps/" + step + "/rows", "position", "row_id");
    }

    /// A split of the data set, its files in order.
    List<Row> split(String split) throws IOException {
        return files(split + "-");
    }

    /// All rows of the data set.
    List<Row> data() throws IOException {
        return files("");
    }

    private List<Row> files(String prefix) throws IOException {
        List<Row> rows = new ArrayList<>();
        try (Stream<Path> files = Files.list(output.resolve("dataset/data"))) {
            for (String file : files.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(prefix))
                    .sorted()
                    .toList()) {
                rows.addAll(read("dataset/data/" + file));
            }
        }
        return rows;
    }

    private List<Row> read(String path, String... order) {
        SparkSession spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .getOrCreate();
        try {
            var rows = spark.read().parquet(output.resolve(path).toString());
            if (order.length == 0) {
                return rows.collectAsList();
            }
            return rows.orderBy(order[0], java.util.Arrays.copyOfRange(order, 1, order.length))
                    .collectAsList();
        } finally {
            spark.stop();
        }
    }

    /// Counts of a step by its name: in, made, kept, and each reason.
    Map<String, Long> counts(String step) throws IOException {
        Map<String, Long> counts = new TreeMap<>();
        for (JsonNode found : funnel()) {
            if (found.path("name").asText().equals(step)) {
                counts.put("in", found.path("in").asLong());
                counts.put("made", found.path("made").asLong());
                counts.put("kept", found.path("kept").asLong());
                found.path("dropped")
                        .properties()
                        .forEach(reason ->
                                counts.put(reason.getKey(), reason.getValue().asLong()));
            }
        }
        return counts;
    }

    JsonNode funnel() throws IOException {
        return JSON.readTree(output.resolve("funnel.json").toFile()).path("steps");
    }

    /// Time of modification of every Parquet file below the steps, by path.
    Map<String, Long> modified() throws IOException {
        Map<String, Long> modified = new TreeMap<>();
        try (Stream<Path> files = Files.walk(output.resolve("steps"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".parquet")).toList()) {
                modified.put(
                        output.relativize(file).toString(),
                        Files.getLastModifiedTime(file).toMillis());
            }
        }
        return modified;
    }
}
