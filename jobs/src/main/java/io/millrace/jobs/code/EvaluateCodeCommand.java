package io.millrace.jobs.code;

import io.millrace.jobs.CodeExecutionConsent;
import io.millrace.jobs.CompletionJob;
import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ConfigFile;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunOptions;
import io.millrace.jobs.Settings;
import io.millrace.jobs.SparkSessions;
import io.millrace.jobs.report.RunReport;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.sandbox.Examiner;
import io.millrace.udf.sandbox.Limits;
import io.millrace.udf.shard.OutputDir;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace evaluate-code`: tasks in, programs of a model out of them, each run with its tests, pass@k
/// of them.
@Command(
        name = "evaluate-code",
        mixinStandardHelpOptions = true,
        description = {
            "Has a model write programs, runs each with its tests in a sandbox, and tells how many pass.",
            "With --solutions or --canonical, programs that are there already."
        })
public final class EvaluateCodeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RunOptions run = new RunOptions();

    @Mixin
    private CodeExecutionConsent consent = new CodeExecutionConsent();

    @Option(
            names = "--suite",
            required = true,
            paramLabel = "NAME",
            description = "What --input holds: ${COMPLETION-CANDIDATES}.")
    private CodeSuite suite = CodeSuite.HUMANEVAL;

    @Option(names = "--samples", paramLabel = "N", description = "Programs for each task. Default: 1.")
    private @Nullable String samples;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Longest answer, in tokens. Default: 512.")
    private @Nullable String maxTokens;

    @ArgGroup(exclusive = true)
    private Source source = new Source();

    /// Where programs come from if no model is to write them.
    static final class Source {
        @Option(
                names = "--solutions",
                paramLabel = "FILE",
                description = "JSONL of task_id with solution or completion; no model is asked.")
        private @Nullable String solutions;

        @Option(names = "--canonical", description = "The suite's own solutions, all of which should pass.")
        private boolean canonical;
    }

    @Option(
            names = "--python",
            paramLabel = "FILE",
            description = "Interpreter of Python programs, as the sandbox sees it. Default: ${DEFAULT-VALUE}.")
    private String python = "/usr/bin/python3";

    @Option(
            names = "--java-home",
            paramLabel = "DIR",
            description = "JDK of Java programs, of Java 25 or later. Default: the executor's own.")
    private @Nullable String javaHome;

    @Option(
            names = "--toolchain",
            paramLabel = "DIR",
            description = "Folder to be seen in the sandbox, read-only, at its own place. Repeatable.")
    private List<String> toolchains = new ArrayList<>();

    @Option(
            names = "--cpu-seconds",
            paramLabel = "N",
            description = "Processor time of a program. Default: ${DEFAULT-VALUE}.")
    private long cpuSeconds = 10;

    @Option(
            names = "--wall-seconds",
            paramLabel = "N",
            description = "Time of a program from start to end. Default: ${DEFAULT-VALUE}.")
    private long wallSeconds = 60;

    @Option(names = "--memory", paramLabel = "MIB", description = "Memory of a program. Default: ${DEFAULT-VALUE}.")
    private long memoryMib = 1024;

    @Override
    public Integer call() {
        consent.require();
        MillraceHome home = Millrace.home();
        List<Settings> layers = layers();
        JobConfig asked = JobConfig.resolve(home, layers);
        OutputDir output = new OutputDir(asked.outputDir());
        Configuration conf = new Configuration();
        List<CodeTask> tasks =
                CodeTasks.read(suite, asked.input().paths(), asked.input().limit(), conf);
        CodeCompletions completions = new CodeCompletions(tasks, output);
        JobConfig config = JobConfig.resolve(home, completing(layers, completions));
        if (run.isDryRun()) {
            out().print(ConfigFile.yaml(config));
            out().flush();
            return ExitCode.OK;
        }
        int exitCode = isGiven() ? ExitCode.OK : complete(home, config, completions, conf);
        return exitCode == ExitCode.OK ? grade(config, tasks, completions, output, conf) : exitCode;
    }

    private List<Settings> layers() {
        Map<String, String> own = new LinkedHashMap<>();
        put(own, "sampling.samples", samples);
        put(own, "sampling.max-tokens", maxTokens);
        List<Settings> layers = new ArrayList<>(run.layers(own));
        if (layers.stream().noneMatch(layer -> layer.values().containsKey("input.path"))) {
            throw new ConfigException(List.of("--input: expected the suite's file, got none"));
        }
        layers.addFirst(defaults());
        return layers;
    }

    /// What suits code better than the defaults of every job.
    private Settings defaults() {
        Map<String, List<String>> values = new LinkedHashMap<>();
        values.put("input.text-column", List.of(CodeCompletions.TEXT));
        values.put("prompt.format", List.of("raw"));
        values.put("prompt.overlong", List.of("error"));
        values.put("sampling.max-tokens", List.of("512"));
        values.put("gate.enabled", List.of("false"));
        return new Settings("evaluate-code", values);
    }

    /// The same for the job that completes the tasks.
    private List<Settings> completing(List<Settings> layers, CodeCompletions completions) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        values.put("input.path", List.of(completions.requests()));
        values.put("input.format", List.of("jsonl"));
        values.put("input.text-column", List.of(CodeCompletions.TEXT));
        values.put("input.id-column", List.of(CodeCompletions.ID));
        // the tasks are limited already
        values.put("input.limit", List.of("0"));
        values.put("output.dir", List.of(completions.completions()));
        List<Settings> all = new ArrayList<>(layers);
        boolean stops = layers.stream().anyMatch(layer -> layer.values().containsKey("sampling.stop"));
        if (!stops && !suite.stops().isEmpty() && isRaw(layers)) {
            values.put("sampling.stop", suite.stops());
        }
        all.add(new Settings("evaluate-code", values));
        return all;
    }

    private boolean isRaw(List<Settings> layers) {
        return layers.reversed().stream()
                .filter(layer -> layer.values().containsKey("prompt.format"))
                .findFirst()
                .map(layer -> List.of("raw").equals(layer.values().get("prompt.format")))
                .orElseThrow();
    }

    private boolean isGiven() {
        return source.canonical || source.solutions != null;
    }

    private int complete(MillraceHome home, JobConfig config, CodeCompletions completions, Configuration conf) {
        completions.writeRequests(config.prompt().format(), conf);
        return new CompletionJob(config, run.request(config).withoutReport(), out(), err(), Millrace.isTerminal())
                .run(home);
    }

    private int grade(
            JobConfig config, List<CodeTask> tasks, CodeCompletions completions, OutputDir output, Configuration conf) {
        SparkSession session = SparkSessions.openWithoutEngine(config);
        try {
            Examiner examiner = examiner();
            List<Attempt> attempts = attempts(session, config, tasks, completions, conf);
            Grading grading = new Grading(session, new OutputDir(new Path(output.dir(), "results").toString()));
            CodeReport report = new CodeReport(grading.grade(attempts, examiner));
            report.write(output, facts(config, examiner), conf);
            print(report, output);
            if (run.request(config).report()) {
                RunReport.writeAtEnd(session, output.dir(), out(), err());
            }
            return ExitCode.OK;
        } finally {
            session.stop();
        }
    }

    private List<Attempt> attempts(
            SparkSession session,
            JobConfig config,
            List<CodeTask> tasks,
            CodeCompletions completions,
            Configuration conf) {
        if (source.canonical) {
            return tasks.stream()
                    .map(task -> Attempt.of(task, 0, task.canonical(), task.preamble() + task.canonical()))
                    .toList();
        }
        String file = source.solutions;
        if (file != null) {
            return Solutions.attempts(tasks, CodeTasks.records(file, conf), file);
        }
        PromptFormat format = config.prompt().format();
        return completions.attempts(session, format, config.sampling().stop());
    }

    private Examiner examiner() {
        Limits small = Limits.SMALL;
        Limits limits = new Limits(
                Duration.ofSeconds(wallSeconds),
                cpuSeconds,
                memoryMib << 20,
                small.processes(),
                small.diskBytes(),
                small.fileBytes(),
                small.outputBytes());
        return new Examiner(javaHome, python, toolchains, limits);
    }

    private Map<String, Object> facts(JobConfig config, Examiner examiner) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("suite", suite.toString());
        facts.put("programs", programs(config));
        facts.put("prompt_format", config.prompt().format().name().toLowerCase(Locale.ROOT));
        facts.put("temperature", config.sampling().temperature());
        facts.put("max_tokens", config.sampling().maxTokens());
        facts.put("cpu_seconds", examiner.limits().cpuSeconds());
        facts.put("wall_seconds", examiner.limits().wall().toSeconds());
        facts.put("memory_bytes", examiner.limits().memoryBytes());
        return facts;
    }

    private String programs(JobConfig config) {
        if (source.canonical) {
            return "canonical";
        }
        String file = source.solutions;
        return file == null ? "model " + config.engine().modelDir() : "file " + file;
    }

    private void print(CodeReport report, OutputDir output) {
        PrintWriter out = out();
        line(out, "tasks", Integer.toString(report.tasks()));
        line(out, "samples", Integer.toString(report.samples()));
        report.passAtK().forEach((name, value) -> line(out, name, String.format(Locale.ROOT, "%.4f", value)));
        report.results().forEach((result, count) -> line(out, result, Integer.toString(count)));
        line(out, "output", output.dir());
        out.flush();
    }

    private static void line(PrintWriter out, String name, String value) {
        out.println(String.format(Locale.ROOT, "%-28s %s", name, value));
    }

    private static void put(Map<String, String> own, String key, @Nullable String value) {
        if (value != null) {
            own.put(key, value);
        }
    }

    private PrintWriter out() {
        return commandSpec().commandLine().getOut();
    }

    private PrintWriter err() {
        return commandSpec().commandLine().getErr();
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        return spec;
    }
}
