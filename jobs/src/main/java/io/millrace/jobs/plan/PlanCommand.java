package io.millrace.jobs.plan;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobException;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.RunPlanner;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/// `millrace plan`: what a job will take, before it begins.
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = {
            "Says what a job will take: lengths, faulty rows, shared prefixes, memory, prompts, steps, time, money.",
            "Behind its own options stands the job with its options, as it would be run; summarize if none is named."
                    + " A few rows are computed to measure this machine, and thrown away.",
            "Of a job of several rounds the first is planned: the others depend on its answers."
        },
        customSynopsis = "millrace plan [OPTIONS] [JOB [OPTIONS OF THE JOB]]")
public final class PlanCommand implements Callable<Integer> {
    private static final Set<String> JOBS =
            Set.of("summarize", "batch", "evaluate", "evaluate-code", "generate", "swebench", "rollout");
    /// Which change what is in the output directory, or leave the model out.
    private static final Set<String> REFUSED =
            Set.of("--new-run", "--redo", "--retry-errors", "--dry-run", "--canonical", "--solutions");

    private static final String OUTPUT = "--output";

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--json", paramLabel = "FILE", description = "Write everything there too.")
    private @Nullable Path json;

    @Option(
            names = "--sample-rows",
            paramLabel = "N",
            defaultValue = "10000",
            description = "Of more rows than this, look at about so many. Default: ${DEFAULT-VALUE}.")
    private long sampleRows;

    @Option(
            names = "--sample-seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Of the choice of these. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--calibrate",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long rows are measured; 0 for not at all. Default: ${DEFAULT-VALUE}.")
    private double calibrate;

    @Option(
            names = "--profile",
            paramLabel = "FILE",
            description = "YAML file of how fast an engine is, in place of measuring; see jobs/docs/plan.md.")
    private @Nullable Path profile;

    @Option(
            names = "--answer-tokens",
            paramLabel = "N",
            description = "Mean length of an answer. Default: of the measured ones, of the references, or the most.")
    private @Nullable Double answerTokens;

    @Option(
            names = "--executors",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many will compute. Default: those that are there.")
    private int executors;

    @Option(names = "--device-hour", paramLabel = "PRICE", description = "Of a card, or an executor without, an hour.")
    private @Nullable Double deviceHour;

    @Option(
            names = "--prices",
            paramLabel = "FILE",
            description = "YAML file of what public interfaces ask. Default: what the program knows.")
    private @Nullable Path prices;

    @Unmatched
    private List<String> job = new ArrayList<>();

    @Override
    public Integer call() {
        requireSense();
        Planner planner = new Planner(
                new Planner.Asked(
                        sampleRows,
                        seed,
                        calibrate,
                        profile == null ? null : DeviceProfile.read(profile),
                        answerTokens,
                        executors,
                        deviceHour,
                        prices == null ? Prices.known() : Prices.read(prices),
                        Millrace.home().bundledModel()),
                commandLine().getErr());
        List<String> command = command();
        int exit = keepsOutput(command) ? execute(command, planner) : executeAside(command, planner);
        Forecast forecast = planner.forecast();
        if (forecast == null) {
            if (exit == ExitCode.OK) {
                throw new JobException("plan: expected a job that asks the model, got " + String.join(" ", command));
            }
            return exit;
        }
        new ForecastTable(forecast, commandLine().getOut()).print();
        Path file = json;
        if (file != null) {
            write(file, forecast.toJson().toPrettyString() + "\n");
        }
        return ExitCode.OK;
    }

    private void requireSense() {
        List<String> problems = new ArrayList<>();
        if (sampleRows < 1) {
            problems.add("--sample-rows: expected >= 1, got " + sampleRows);
        }
        if (!(calibrate >= 0)) {
            problems.add("--calibrate: expected >= 0, got " + calibrate);
        }
        if (executors < 0) {
            problems.add("--executors: expected >= 0, got " + executors);
        }
        for (String word : job) {
            if (REFUSED.contains(word.split("=", 2)[0])) {
                problems.add("plan: expected a run that asks the model and changes nothing, got " + word);
            }
        }
        String name = job.isEmpty() || job.getFirst().startsWith("-") ? "summarize" : job.getFirst();
        boolean isPredict =
                !name.equals("swebench") || (job.size() > 1 && job.get(1).equals("predict"));
        if (!JOBS.contains(name) || !isPredict) {
            problems.add(
                    "plan: expected one of " + JOBS.stream().sorted().toList() + " (swebench predict), got " + name);
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private List<String> command() {
        List<String> command = new ArrayList<>(job);
        if (command.isEmpty() || command.getFirst().startsWith("-")) {
            command.addFirst("summarize");
        }
        return command;
    }

    private static boolean keepsOutput(List<String> command) {
        return command.stream().anyMatch(word -> word.equals(OUTPUT) || word.startsWith(OUTPUT + "="));
    }

    /// What a job writes before its first request is of no use to anybody.
    private int executeAside(List<String> command, Planner planner) {
        try {
            Path folder = Files.createTempDirectory("millrace-plan-");
            try {
                List<String> aside = new ArrayList<>(command);
                aside.addAll(List.of(OUTPUT, folder.resolve("output").toString()));
                return execute(aside, planner);
            } finally {
                delete(folder);
            }
        } catch (IOException e) {
            throw new JobException("plan: expected a folder for what is thrown away, got " + e.getMessage(), e);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private int execute(List<String> command, Planner planner) {
        CommandLine line = Millrace.commandLine();
        line.setOut(new PrintWriter(commandLine().getErr(), true));
        line.setErr(commandLine().getErr());
        line.setExecutionExceptionHandler((failure, failed, _) ->
                failure instanceof RunPlanner.PlannedException ? ExitCode.OK : Millrace.tell(failure, failed));
        return ScopedValue.where(RunPlanner.ASKED, planner).call(() -> line.execute(command.toArray(String[]::new)));
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new JobException("--json " + file + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private CommandLine commandLine() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        return spec.commandLine();
    }
}
