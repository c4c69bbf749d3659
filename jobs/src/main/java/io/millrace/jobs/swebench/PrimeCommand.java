package io.millrace.jobs.swebench;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobException;
import io.millrace.jobs.SparkSessions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace swebench prime`: fetches what tests without network need.
@Command(
        name = "prime",
        mixinStandardHelpOptions = true,
        description = {
            "Fetches what the tests of the instances need, since they run without network: runs the `prime` commands of",
            "their environments at their base commits, on this machine, with network and outside the sandbox."
        })
final class PrimeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private InstanceOptions instances = new InstanceOptions();

    @Option(names = "--dependencies", paramLabel = "DIR", required = true, description = "Folder to fill.")
    private Path dependencies = Path.of("");

    @Option(names = "--environment", paramLabel = "FILE", description = "As for grade.")
    private List<Path> environments = new ArrayList<>();

    @Option(names = "--set", paramLabel = "NAME=VALUE", description = "As for grade.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter err = spec.commandLine().getErr();
        List<TestEnvironment> known = EnvironmentFile.all(environments);
        Dataset dataset = dataset();
        int failed = 0;
        for (Instance instance : dataset.instances().values()) {
            Optional<TestEnvironment> environment =
                    known.stream().filter(one -> one.isFor(instance)).findFirst();
            String state = environment.isEmpty()
                    ? "no environment"
                    : environment.get().prime().isEmpty() ? "nothing to fetch" : prime(instance, environment.get());
            failed += state.startsWith("failed") ? 1 : 0;
            err.printf(Locale.ROOT, "%s: %s%n", instance.id(), state);
            err.flush();
        }
        return failed == 0 ? ExitCode.OK : ExitCode.ERROR;
    }

    private Dataset dataset() {
        SparkSession session = SparkSessions.open("millrace swebench prime", "local[1]");
        try {
            return instances.dataset(session);
        } finally {
            session.stop();
        }
    }

    private String prime(Instance instance, TestEnvironment environment) {
        environment.settings().forEach((setting, what) -> {
            if (!settings.containsKey(setting)) {
                throw new ConfigException(
                        List.of("--set " + setting + "=...: expected " + what + " for " + environment.name()));
            }
        });
        try (SourceTree tree = SourceTree.open(Path.of(instances.repositories()), instance)) {
            Path folder = Files.createDirectories(dependencies.resolve(instance.repositoryName()))
                    .toRealPath();
            ShellScript script = new ShellScript(instance, environment, settings, folder.toString());
            Path file = Files.writeString(
                    tree.dir().resolve(".git/prime.sh"), script.commands(environment.prime()));
            Process process = new ProcessBuilder("bash", file.toString())
                    .directory(tree.dir().toFile())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            return code == 0 ? "done" : "failed with exit code " + code + ":\n" + output;
        } catch (EnvironmentFault e) {
            return "failed: " + e.getMessage();
        } catch (IOException e) {
            throw new JobException("dependencies " + dependencies + ": expected to be writable, got " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("interrupted while " + instance.id() + " was primed", e);
        }
    }
}
