package io.millrace.jobs.rollout;

import io.millrace.jobs.CompletionJob;
import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ConfigFile;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Gate;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunOptions;
import io.millrace.jobs.RunPlanner;
import io.millrace.jobs.RunRequest;
import io.millrace.jobs.Settings;
import io.millrace.jobs.SparkSessions;
import io.millrace.jobs.report.RunReport;
import io.millrace.udf.agent.ScriptedEngineProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace rollout`: tasks in, conversations with tools out, and the predictions that they end in.
@Command(
        name = "rollout",
        mixinStandardHelpOptions = true,
        description = {
            "Has a model work on tasks with a shell, in a sandbox, one conversation for each row.",
            "Writes canonical rows, trajectories in mini-swe-agent's form, and predictions for swebench."
        })
public final class RolloutCommand implements Callable<Integer> {
    /// Canonical rows, in the output directory.
    static final String COMPLETIONS = "completions";
    /// What rollouts have done so far.
    static final String LOGS = "logs";

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RunOptions run = new RunOptions();

    @Option(
            names = "--allow-code-execution",
            description =
                    "Agree that commands that a model has written are run, in a sandbox, on the executors' hosts.")
    private boolean allowed;

    @Option(
            names = "--repository",
            paramLabel = "DIR",
            description = "Local clone to start from; {column} is filled in, with __ for each slash: /clones/{repo}.")
    private @Nullable String repository;

    @Option(names = "--commit", paramLabel = "ID", description = "Commit to start at: {base_commit}, say.")
    private @Nullable String commit;

    @Option(
            names = "--script",
            paramLabel = "PATH",
            description = "Instead of a model: trajectories whose turns are said again.")
    private @Nullable String script;

    @Option(names = "--max-steps", paramLabel = "N", description = "Most turns of a rollout. Default: 250.")
    private @Nullable String maxSteps;

    @Override
    public Integer call() {
        MillraceHome home = Millrace.home();
        JobConfig config = config(home);
        if (run.isDryRun()) {
            commandSpec().commandLine().getOut().print(ConfigFile.yaml(config));
            commandSpec().commandLine().getOut().flush();
            return ExitCode.OK;
        }
        if (!allowed) {
            throw new ConfigException(
                    List.of(
                            "rollout: expected --allow-code-execution, since commands that a model has written will run, got none"));
        }
        try (Gate gate = new Gate(home, config.gate())) {
            SparkSession session = SparkSessions.open(config);
            try {
                return run(session, config, gate);
            } finally {
                session.stop();
            }
        }
    }

    private int run(SparkSession session, JobConfig config, Gate gate) {
        var out = commandSpec().commandLine().getOut();
        RunRequest request = run.request(config);
        CompletionJob job = new CompletionJob(
                config, request, out, commandSpec().commandLine().getErr(), Millrace.isTerminal());
        int exitCode = ScopedValue.where(RunPlanner.LATER, "the turns of each conversation after the first")
                .call(() -> job.run(JavaSparkContext.fromSparkContext(session.sparkContext()), gate));
        RolloutReport report = RolloutReport.write(session, config);
        out.print(report.table());
        out.flush();
        if (request.report()) {
            Path output = Objects.requireNonNull(new Path(config.outputDir()).getParent(), "the rows have a folder");
            RunReport.writeAtEnd(
                    session, output.toString(), out, commandSpec().commandLine().getErr());
        }
        return exitCode;
    }

    private JobConfig config(MillraceHome home) {
        List<Settings> given = run.layers(own());
        if (given.stream().noneMatch(layer -> layer.values().containsKey("input.path"))) {
            throw new ConfigException(List.of("--input: expected tasks, got none"));
        }
        List<Settings> layers = new ArrayList<>();
        layers.add(defaults(last(given, "rollout.actions", "fenced")));
        layers.addAll(given);
        String output = JobConfig.resolve(home, layers).outputDir();
        layers.add(settings(Map.of(
                "output.dir", new Path(output, COMPLETIONS).toString(),
                "rollout.log-dir", new Path(output, LOGS).toString())));
        return JobConfig.resolve(home, layers);
    }

    private static String last(List<Settings> layers, String key, String otherwise) {
        String word = otherwise;
        for (Settings layer : layers) {
            List<String> words = layer.values().getOrDefault(key, List.of());
            word = words.isEmpty() ? word : words.getLast();
        }
        return word;
    }

    /// Of SWE-bench's tables, and prompts that say what the form of actions is.
    private static Settings defaults(String form) {
        return settings(Map.of(
                "input.text-column", "problem_statement",
                "input.id-column", "instance_id",
                "prompt.system", resource(form.equals("tools") ? "tools.txt" : "fenced.txt"),
                "prompt.template", resource("task.txt"),
                "prompt.overlong", "error",
                "sampling.max-tokens", "4096"));
    }

    private Map<String, String> own() {
        Map<String, String> own = new LinkedHashMap<>();
        put(own, "rollout.repository", repository);
        put(own, "rollout.commit", commit);
        put(own, "rollout.max-steps", maxSteps);
        if (script != null) {
            own.put("engine.kind", ScriptedEngineProvider.KIND);
            own.put(
                    "engine.model-dir",
                    java.nio.file.Path.of(script).toAbsolutePath().toString());
        }
        return own;
    }

    private static void put(Map<String, String> own, String key, @Nullable String value) {
        if (value != null) {
            own.put(key, value);
        }
    }

    private static Settings settings(Map<String, String> keys) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        keys.forEach((key, value) -> values.put(key, List.of(value)));
        return new Settings("rollout", values);
    }

    private static String resource(String name) {
        try (InputStream in = RolloutCommand.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is not in the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new IllegalStateException(name + " is in the jar", e);
        }
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        return spec;
    }
}
