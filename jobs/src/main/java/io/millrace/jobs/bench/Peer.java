package io.millrace.jobs.bench;

import io.millrace.jobs.JobException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// llama.cpp or a relative, by its own `llama-bench` and `llama-batched-bench`, which fill prompts
/// themselves.
final class Peer implements Contestant {
    static final String PREFILL_TOOL = "llama-bench";
    static final String DECODE_TOOL = "llama-batched-bench";

    /// Tokens of a stream while settings are tried.
    private static final int BRIEF = 8;

    private static final Pattern COMPLAINT = Pattern.compile("(?i).*(error|assert|fail|exceed|unsupported).*");
    private static final Pattern BACKEND = Pattern.compile("loaded CPU backend from .*/(\\S+)");

    private final String name;
    private final Dialect dialect;
    private final Path tools;
    private final Path model;
    private final Shape shape;
    private final Results results;
    private String backend = "";

    /// @param tools folder of the two programs
    /// @param results where its settings for each work are found, and kept once they are tuned
    Peer(String name, Path tools, Path model, Shape shape, Results results) {
        this.name = name;
        this.dialect = Dialect.of(name);
        this.tools = tools;
        this.model = model;
        this.shape = shape;
        this.results = results;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String settings(Work work) {
        return "-t " + shape.threads() + " " + chosen(work) + backend;
    }

    private String chosen(Work work) {
        return results.tuned(name, work)
                .orElseGet(() -> dialect.candidates(work, shape).getFirst());
    }

    @Override
    public double tokensPerSecond(Work work) {
        return work.isPrefill() ? prefill(chosen(work), List.of()) : decode(work, chosen(work), shape.generated());
    }

    /// Tries every candidate once, briefly, and keeps the best.
    void tune(Work work) {
        String best = "";
        double most = 0;
        for (String candidate : dialect.candidates(work, shape)) {
            try {
                double rate =
                        work.isPrefill() ? prefill(candidate, dialect.coldPrefill()) : decode(work, candidate, BRIEF);
                results.addTried(name, work, candidate, rate);
                if (rate > most) {
                    most = rate;
                    best = candidate;
                }
            } catch (JobException e) {
                results.addTried(name, work, candidate, String.valueOf(e.getMessage()));
            }
        }
        if (most > 0) {
            results.tune(name, work, best);
        }
    }

    private double prefill(String settings, List<String> more) {
        List<String> arguments = new ArrayList<>(List.of("-n", "0", "-r", "1", "-o", "json"));
        arguments.addAll(more);
        String out = run(PREFILL_TOOL, settings, arguments);
        return ToolOutput.array(out).path(0).path("avg_ts").asDouble();
    }

    private double decode(Work work, String settings, int generated) {
        int tokens = work.generated(generated);
        List<String> arguments = new ArrayList<>(dialect.outputArguments());
        arguments.addAll(List.of(
                "-c", number(Math.max((long) work.streams() * (Shape.DECODE_PROMPT + tokens), 512)),
                "-npp", number(Shape.DECODE_PROMPT),
                "-ntg", number(tokens),
                "-npl", number(work.streams())));
        return dialect.generationRate(run(DECODE_TOOL, settings, arguments));
    }

    private static String number(long value) {
        return Long.toString(value);
    }

    private String run(String program, String settings, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(tools.resolve(program).toString()));
        command.addAll(List.of("-m", model.toString(), "-t", number(shape.threads())));
        command.addAll(List.of(settings.split(" ")));
        command.addAll(arguments);
        try {
            Path log = Files.createTempFile("millrace-bench-", ".log");
            try {
                return run(command, log);
            } finally {
                Files.delete(log);
            }
        } catch (IOException e) {
            throw new JobException(String.join(" ", command) + ": " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("interrupted");
        }
    }

    private String run(List<String> command, Path log) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exit = process.waitFor();
        // tools print what they like, in any encoding
        String said = new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1);
        if (exit != 0) {
            throw new JobException("exit code " + exit + " of " + String.join(" ", command) + ": "
                    + said.lines()
                            .filter(line -> COMPLAINT.matcher(line).matches())
                            .findFirst()
                            .orElse("no complaint"));
        }
        Matcher loaded = BACKEND.matcher(said);
        if (loaded.find()) {
            backend = ", " + loaded.group(1);
        }
        // one of the two dialects draws its table on the other stream
        return out + said;
    }
}
