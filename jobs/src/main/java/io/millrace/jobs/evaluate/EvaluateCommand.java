package io.millrace.jobs.evaluate;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ConfigFile;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunOptions;
import io.millrace.jobs.Settings;
import io.millrace.jobs.evaluate.python.PythonLiteral;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace evaluate`: task files of lm-evaluation-harness in, its files of results out.
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        description = {
            "Evaluates a model on tasks in the files of lm-evaluation-harness, and writes its files of results.",
            "--limit is of documents of each task; --input is the tasks' own."
        })
public final class EvaluateCommand implements Callable<Integer> {
    private static final String OWN_INPUT = "requests of the tasks";
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RunOptions run = new RunOptions();

    @Option(
            names = "--task",
            required = true,
            paramLabel = "FILE",
            description = "YAML file of a task or group. Repeatable.")
    private List<Path> tasks = new ArrayList<>();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where relative paths of the tasks' data begin. Default: the working directory.")
    private Path data = Path.of("");

    @Option(
            names = "--num-fewshot",
            paramLabel = "N",
            description = "Examples before each question, in place of the tasks' own number unless that is 0.")
    private @Nullable Integer examples;

    @Option(names = "--fewshot-seed", paramLabel = "N", description = "Seed of the choice of examples. Default: 1234.")
    private long seed = 1234;

    @Option(
            names = "--gen-kwargs",
            paramLabel = "KEY=VALUE",
            split = ",",
            description = "Over the tasks' generation_kwargs, as in max_gen_toks=64.")
    private Map<String, String> generation = new LinkedHashMap<>();

    @Option(names = "--chat", description = "Prompts are conversations in the model's own form, not plain texts.")
    private boolean chat;

    @Option(
            names = "--fewshot-as-multiturn",
            description = "In conversations, examples are turns of their own. Needs --chat.")
    private boolean multiTurn;

    @Option(names = "--system-instruction", paramLabel = "TEXT", description = "Words before the tasks' own.")
    private @Nullable String system;

    @Override
    public Integer call() {
        MillraceHome home = Millrace.home();
        JobConfig given = JobConfig.resolve(home, layers(home, null));
        requireSense(given);
        JobConfig completion = JobConfig.resolve(home, layers(home, given.outputDir()));
        CommandSpec command = commandSpec();
        if (run.isDryRun()) {
            command.commandLine().getOut().print(ConfigFile.yaml(completion));
            command.commandLine().getOut().flush();
            return ExitCode.OK;
        }
        Map<String, Object> kwargs = kwargs();
        EvaluateJob.Plan plan = new EvaluateJob.Plan(
                tasks(kwargs),
                new Documents(data),
                given.outputDir(),
                completion,
                given.input().limit(),
                seed,
                kwargs,
                new Question.Style(chat, multiTurn),
                system);
        EvaluateJob job = new EvaluateJob(
                plan,
                run.request(completion),
                command.commandLine().getOut(),
                command.commandLine().getErr(),
                Millrace.isTerminal());
        try {
            return job.run(home);
        } catch (TaskException e) {
            throw new JobException(String.valueOf(e.getMessage()), e);
        }
    }

    private TaskSet tasks(Map<String, Object> kwargs) {
        try {
            return TaskSet.read(tasks, new Task.Overrides(examples, kwargs));
        } catch (TaskException e) {
            throw new ConfigException(List.of(String.valueOf(e.getMessage())));
        }
    }

    private void requireSense(JobConfig given) {
        List<String> problems = new ArrayList<>();
        if (!given.input().paths().equals(List.of(OWN_INPUT))) {
            problems.add("input.path: expected none, since tasks name their own data, got "
                    + given.input().paths());
        }
        if (multiTurn && !chat) {
            problems.add("--fewshot-as-multiturn: expected --chat with it");
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /// What an evaluation has in place of the job's defaults, then what is given, then what is not to
    /// be changed.
    ///
    /// @param output folder of all; null to find out what is given
    private List<Settings> layers(MillraceHome home, @Nullable String output) {
        List<Settings> layers = new ArrayList<>();
        Map<String, List<String>> usual = new LinkedHashMap<>();
        usual.put("input.path", List.of(OWN_INPUT));
        usual.put("input.text-column", List.of(Asked.PROMPT));
        usual.put("input.format", List.of("parquet"));
        usual.put(
                "output.dir",
                List.of(home.workDir()
                        .resolve("output/evaluate-" + STAMP.format(LocalDateTime.now(ZoneId.systemDefault())))
                        .toString()));
        usual.put("prompt.overlong", List.of("truncate-start"));
        usual.put(
                "gate.rules",
                List.of(home.root().resolve("jobs/tasks/rules.yaml").toString()));
        layers.add(new Settings("evaluate", usual));
        layers.addAll(run.layers(Map.of()));
        if (output != null) {
            layers.add(new Settings("evaluate", fixed(output)));
        }
        return layers;
    }

    private Map<String, List<String>> fixed(String output) {
        Map<String, List<String>> fixed = new LinkedHashMap<>();
        fixed.put("input.path", List.of(output + "/" + EvaluateJob.REQUESTS));
        fixed.put("input.format", List.of("parquet"));
        fixed.put("input.limit", List.of("0"));
        fixed.put("input.id-column", List.of(Asked.ID));
        fixed.put("input.text-column", List.of(Asked.PROMPT));
        fixed.put("input.continuations-column", List.of(Asked.CONTINUATIONS));
        fixed.put("input.parameters-column", List.of(Asked.PARAMETERS));
        fixed.put("output.dir", List.of(output + "/" + EvaluateJob.COMPLETIONS));
        fixed.put("prompt.format", List.of(chat ? "messages" : "raw"));
        fixed.put("sampling.samples", List.of("1"));
        return fixed;
    }

    private Map<String, Object> kwargs() {
        Map<String, Object> kwargs = new LinkedHashMap<>();
        generation.forEach((key, text) -> {
            Object value = text;
            try {
                Object literal = PythonLiteral.parse(text);
                value = literal == null ? text : literal;
            } catch (IllegalArgumentException _) {
                // a text as it is
            }
            kwargs.put(key, value);
        });
        return kwargs;
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        return spec;
    }
}
