package io.millrace.jobs.swebench;

import io.millrace.jobs.CompletionJob;
import io.millrace.jobs.ConfigFile;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.RunOptions;
import io.millrace.jobs.Settings;
import io.millrace.jobs.SparkSessions;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace swebench predict`: one prompt an instance, one answer, one prediction.
@Command(
        name = "predict",
        mixinStandardHelpOptions = true,
        description = {
            "Asks the model for a patch to each instance, in one turn, and writes predictions that any grader of",
            "SWE-bench takes. Its stages go on where they were stopped."
        })
final class PredictCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private InstanceOptions instances = new InstanceOptions();

    @Mixin
    private RunOptions run = new RunOptions();

    @Option(
            names = "--context",
            paramLabel = "KIND",
            description = "Files that the model sees: oracle (those the gold patch changes) or bm25."
                    + " Default: ${DEFAULT-VALUE}.")
    private PromptContext.Kind context = PromptContext.Kind.ORACLE;

    @Option(names = "--context-files", paramLabel = "N", description = "Of bm25, most files. Default: ${DEFAULT-VALUE}.")
    private int contextFiles = 5;

    @Option(
            names = "--context-chars",
            paramLabel = "N",
            description = "Of bm25, most characters of the files together. Default: ${DEFAULT-VALUE}.")
    private int contextChars = 100_000;

    @Option(names = "--model-name", paramLabel = "NAME", description = "Named in the predictions. Default: the model's.")
    private @Nullable String modelName;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        MillraceHome home = Millrace.home();
        List<Settings> layers = new ArrayList<>(
                List.of(new Settings("swebench", Map.of("sampling.max-tokens", List.of("4096")))));
        layers.addAll(run.layers(Map.of()));
        JobConfig asked = JobConfig.resolve(home, with(layers, input("requests")));
        PredictJob job = new PredictJob(
                asked.outputDir(),
                instances.repositories(),
                new PromptContext(context, contextFiles, contextChars));
        if (run.isDryRun()) {
            out.print(ConfigFile.yaml(asked));
            out.flush();
            return ExitCode.OK;
        }
        String requests = session(asked, session -> job.writePrompts(session, instances.dataset(session)));
        Settings output = new Settings("swebench", Map.of("output.dir", List.of(job.completions())));
        JobConfig config = JobConfig.resolve(home, with(layers, input(requests), output));
        int exitCode = new CompletionJob(
                        config, run.request(config), out, spec.commandLine().getErr(), Millrace.isTerminal())
                .run(home);
        Path predictions = session(asked, session -> job.writePredictions(session, model(config)));
        out.println("predictions        " + predictions);
        out.flush();
        return exitCode;
    }

    private static List<Settings> with(List<Settings> layers, Settings... last) {
        List<Settings> all = new ArrayList<>(layers);
        all.addAll(List.of(last));
        return all;
    }

    private static Settings input(String requests) {
        return new Settings(
                "swebench",
                Map.of(
                        "input.path", List.of(requests),
                        "input.format", List.of("parquet"),
                        "input.text-column", List.of(PromptFunction.PROMPT),
                        "input.id-column", List.of(PromptFunction.INSTANCE_ID)));
    }

    private String model(JobConfig config) {
        return modelName == null ? new Path(config.engine().modelDir()).getName() : modelName;
    }

    private static <T> T session(JobConfig config, Function<SparkSession, T> work) {
        SparkSession session = SparkSessions.open("millrace swebench predict", config.sparkMaster());
        try {
            return work.apply(session);
        } finally {
            session.stop();
        }
    }
}
