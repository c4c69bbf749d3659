package io.millrace.quality;

import io.millrace.schemas.AuditExchange;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Start of the auditor's process.
///
/// With `--requests DIR` it warms up, says so in `DIR/ready.json` and judges what [RequestLoop] finds there;
/// it ends when asked to, or when the process that started it does. With `audit` it judges one output and
/// ends.
@Command(
        name = "millrace-quality",
        description = "Judges committed output by rules in a file.",
        mixinStandardHelpOptions = true,
        subcommands = AuditCommand.class,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every gate passed",
            "1:no verdict was reached",
            "2:wrong usage",
            "3:a gate failed",
            "4:the parent process is gone"
        })
public final class Auditor implements Callable<Integer> {

    private static final Duration GRACE = Duration.ofSeconds(5);

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private SparkOptions sparkOptions = new SparkOptions();

    @Option(names = "--requests", paramLabel = "DIR", description = "Serve requests that appear in this directory.")
    private @Nullable Path requests;

    @Option(
            names = "--parent-pid",
            paramLabel = "PID",
            description = "End when this process ends. Default: the process that started this one.")
    private @Nullable Long parentPid;

    public static void main(String[] args) {
        CommandLine command = new CommandLine(new Auditor());
        command.setExecutionExceptionHandler((failure, line, parsed) -> {
            line.getErr().println("auditor: " + failure);
            failure.printStackTrace(line.getErr());
            return AuditExchange.ExitCode.ERROR;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException {
        Path folder = requests;
        CommandSpec command = spec;
        if (folder == null && command != null) {
            throw new ParameterException(command.commandLine(), "expected --requests DIR or the command audit");
        }
        if (folder == null || !Files.isDirectory(folder)) {
            throw new AuditException("--requests " + folder + ": expected a directory");
        }
        Long pid = parentPid;
        ParentWatch.onEnd(pid == null ? startedBy() : pid, Auditor::endWithoutParent);
        try (AuditSession session = sparkOptions.open()) {
            WarmUp.run(session.spark());
            RequestLoop loop = new RequestLoop(folder, session.spark(), session.versions(), InstantSource.system());
            loop.run(sinceStart());
            return loop.exitCode();
        }
    }

    private static long startedBy() {
        return ParentWatch.parent()
                .map(ProcessHandle::pid)
                .orElseThrow(() -> new AuditException("the process that started the auditor is gone"));
    }

    private static Duration sinceStart() {
        Instant start =
                Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime());
        return Duration.between(start, Instant.now());
    }

    /// Leaves through the shutdown hooks, so that Spark removes its temporary files, but waits for them no
    /// longer than the grace: hooks can wait for a job that nobody waits for any more.
    private static void endWithoutParent() {
        Thread exit =
                Thread.ofPlatform().daemon().name("exit").start(() -> System.exit(AuditExchange.ExitCode.PARENT_GONE));
        try {
            exit.join(GRACE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(AuditExchange.ExitCode.PARENT_GONE);
    }
}
