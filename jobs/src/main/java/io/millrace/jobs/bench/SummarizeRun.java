package io.millrace.jobs.bench;

import io.millrace.jobs.JobException;
import io.millrace.jobs.Millrace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// `millrace summarize` of the bundled corpus in this JVM, as a user runs it, and what its table says.
///
/// @param tokensPerSecond of prompts and completions together, while rows were generated
/// @param rouge ROUGE-1, ROUGE-2 and ROUGE-L in points
record SummarizeRun(double tokensPerSecond, List<Double> rouge) {
    private static final Pattern RATE = Pattern.compile("(?m)^(?:prompt|completion) tokens .*\\((\\d+) tok/s\\)");
    private static final Pattern ROUGE = Pattern.compile("(?m)^ROUGE\\S* .*?([\\d.]+) / ([\\d.]+) / ([\\d.]+)");
    private static final Pattern ERRORS = Pattern.compile("(?m)^rows error +0$");

    /// @param rows of the corpus, from its start
    /// @param more arguments of the command
    static SummarizeRun of(Path model, int rows, String... more) throws IOException {
        Path folder = Files.createTempDirectory("millrace-bench-");
        try {
            List<String> arguments = new ArrayList<>(List.of("summarize", "--no-gate", "--model", model.toString()));
            arguments.addAll(List.of("--limit", Integer.toString(rows)));
            arguments.addAll(List.of("--output", folder.resolve("output").toString()));
            arguments.addAll(List.of(more));
            return read(execute(arguments));
        } finally {
            delete(folder);
        }
    }

    private static String execute(List<String> arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Millrace.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(String[]::new));
        if (exit != 0) {
            throw new JobException("millrace " + String.join(" ", arguments) + ": exit code " + exit + ": " + err);
        }
        return out.toString();
    }

    static SummarizeRun read(String table) {
        if (!ERRORS.matcher(table).find()) {
            throw new JobException("expected a table without failed rows, got " + table);
        }
        double rate = RATE.matcher(table)
                .results()
                .mapToDouble(match -> Double.parseDouble(match.group(1)))
                .sum();
        Matcher rouge = ROUGE.matcher(table);
        return new SummarizeRun(
                rate,
                rouge.find()
                        ? Stream.of(1, 2, 3)
                                .map(group -> Double.parseDouble(rouge.group(group)))
                                .toList()
                        : List.of());
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
