package io.millrace.jobs.generate;

import io.millrace.jobs.CodeExecutionConsent;
import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunOptions;
import io.millrace.jobs.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace generate`: a data set made by a model, by a pipeline file.
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        description = {
            "Makes a data set by the steps of a pipeline file: prompts, answers, checks, deduplication,"
                    + " decontamination, filters.",
            "Writes a folder in the Hub's layout, and what became of every row. The same command goes on with what"
                    + " was stopped."
        })
public final class GenerateCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RunOptions run = new RunOptions();

    @Option(
            names = "--pipeline",
            paramLabel = "FILE",
            required = true,
            description = "YAML file of steps; see jobs/docs/generate.md.")
    private @Nullable Path file;

    @Mixin
    private CodeExecutionConsent consent = new CodeExecutionConsent();

    @Override
    public Integer call() {
        if (file == null || spec == null) {
            throw new IllegalStateException("picocli sets them before it calls the command");
        }
        Pipeline pipeline = Pipeline.read(file);
        List<Settings> layers = run.layers(Map.of());
        if (layers.stream().noneMatch(layer -> layer.values().containsKey("output.dir"))) {
            throw new ConfigException(List.of("--output: expected a directory, got none"));
        }
        if (pipeline.steps().stream().anyMatch(step -> step.step().runsCode())) {
            consent.require();
        }
        MillraceHome home = Millrace.home();
        JobConfig base = base(home, layers);
        Generation generation = new Generation(
                pipeline,
                home,
                layers,
                run.request(base),
                spec.commandLine().getOut(),
                spec.commandLine().getErr(),
                Millrace.isTerminal());
        return run.isDryRun() ? ExitCode.OK : generation.run();
    }

    /// What a person gives from outside, whatever the pipeline adds.
    private static JobConfig base(MillraceHome home, List<Settings> layers) {
        List<Settings> all = new ArrayList<>(layers);
        all.add(new Settings(
                "pipeline",
                Map.of(
                        "input.path", List.of("."),
                        "input.format", List.of("parquet"),
                        "input.text-column", List.of("text"))));
        return JobConfig.resolve(home, all);
    }
}
