package io.millrace.jobs.swebench;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.SparkSessions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace swebench grade`: applies predictions, runs the tests, writes the official reports.
@Command(
        name = "grade",
        mixinStandardHelpOptions = true,
        description = {
            "Applies predictions, runs the tests, and writes reports as the official harness does.",
            "A run that was stopped goes on: what is graded is not graded again."
        })
final class GradeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private InstanceOptions instances = new InstanceOptions();

    @Option(
            names = "--predictions",
            paramLabel = "FILE",
            required = true,
            description = "Predictions: .jsonl or .json; or gold for the dataset's own patches.")
    private String predictions = "";

    @Option(names = "--output", paramLabel = "DIR", required = true, description = "Directory of logs and reports.")
    private String output = "";

    @Option(names = "--run-id", paramLabel = "NAME", description = "Names the run in it. Default: ${DEFAULT-VALUE}.")
    private String runId = "millrace";

    @Option(
            names = "--allow-code-execution",
            description = "Needed: patches and repositories are other people's programs. They run in a sandbox.")
    private boolean allowed;

    @Option(
            names = "--dependencies",
            paramLabel = "DIR",
            description = "What `swebench prime` has fetched; the same on every executor.")
    private @Nullable String dependencies;

    @Option(
            names = "--environment",
            paramLabel = "FILE",
            description = "YAML file that says how a repository is tested. Repeatable; beside those that come along.")
    private List<Path> environments = new ArrayList<>();

    @Option(names = "--set", paramLabel = "NAME=VALUE", description = "Setting that an environment asks for.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--engine",
            paramLabel = "PROGRAM",
            split = ",",
            description = "Container engines to be tried for instances with an image, or none."
                    + " Default: ${DEFAULT-VALUE}.")
    private List<String> engines = List.of("docker", "podman");

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "For the tests of an instance, and for its build. Default: ${DEFAULT-VALUE}.")
    private int timeout = 1800;

    @Option(names = "--retry-errors", description = "Grade again what ended in an error.")
    private boolean retryErrors;

    @Option(names = "--work", paramLabel = "DIR", description = "Where executors check out. Default: a temporary one.")
    private @Nullable String work;

    @Option(names = "--master", paramLabel = "URL", description = "Spark master. Default: ${DEFAULT-VALUE}.")
    private String master = "local[*,4]";

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        if (!allowed) {
            throw new ConfigException(List.of(
                    "--allow-code-execution: expected, since grading runs programs that nobody here has read"));
        }
        if (timeout < 1) {
            throw new ConfigException(List.of("--timeout: expected a number of seconds, got " + timeout));
        }
        GradeRecipe recipe = new GradeRecipe(
                output,
                runId,
                instances.repositories(),
                dependencies,
                work,
                EnvironmentFile.all(environments),
                settings,
                engines.equals(List.of("none")) ? List.of() : engines,
                timeout);
        SparkSession session = SparkSessions.open("millrace swebench grade", master);
        try {
            RunReport _ = new GradeJob(
                            recipe,
                            instances.dataset(session),
                            predictions,
                            retryErrors,
                            spec.commandLine().getOut(),
                            spec.commandLine().getErr())
                    .run(session);
            return ExitCode.OK;
        } finally {
            session.stop();
        }
    }
}
