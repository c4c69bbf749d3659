package io.millrace.udf.agent;

import io.millrace.udf.sandbox.Command;
import io.millrace.udf.sandbox.Limits;
import io.millrace.udf.sandbox.Mount;
import io.millrace.udf.sandbox.Outcome;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Commands in a {@link Sandbox} that sees the directory as `/testbed` and `/tmp`, wherever it lies.
///
/// @param limits of one command, its time aside
/// @param tools folders of the executors' hosts that it sees too, to be read
/// @param variables of its environment, beside `PATH` and its like
public record SandboxShell(Limits limits, List<String> tools, Map<String, String> variables) implements Shell {
    private static final long serialVersionUID = 1L;
    private static final Path TESTBED = Path.of("/" + Workspace.TESTBED);
    /// One stream of both, as a person would see it.
    private static final String TOGETHER = "exec bash -c \"$0\" 2>&1";

    public SandboxShell {
        tools = List.copyOf(tools);
        variables = Map.copyOf(variables);
    }

    @Override
    public Observation run(Path directory, String command, Duration limit) throws IOException, InterruptedException {
        Sandbox sandbox = Sandbox.of(
                        limits.withWall(limit), Mount.writable(directory.resolve(Workspace.TESTBED), TESTBED))
                .withTmp(directory.resolve(Workspace.TMP));
        for (String tool : tools) {
            sandbox = sandbox.with(Mount.readOnly(Path.of(tool)));
        }
        try {
            Outcome outcome =
                    sandbox.run(new Command(List.of("bash", "-c", TOGETHER, command), TESTBED, variables, ""));
            String reason = reason(outcome, limit);
            return new Observation(
                    outcome.stdout().text(),
                    reason == null ? outcome.exitCode() : -1,
                    reason,
                    outcome.stdout().isTruncated());
        } catch (SandboxException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /// Why a command did not end by itself; null if it did.
    private static @Nullable String reason(Outcome outcome, Duration limit) {
        return switch (outcome.ending()) {
            case EXITED, SIGNALLED -> null;
            case TIMED_OUT -> "The command was ended: it took more than " + limit.toSeconds() + " seconds.";
            case OUT_OF_CPU_TIME -> "The command was ended: it took more processor time than it may.";
            case OUT_OF_MEMORY -> "The command was ended: it took more memory than it may.";
            case TOO_MANY_PROCESSES -> "The command was ended: it started more processes than it may.";
            case OUT_OF_DISK -> "The command was ended: it wrote more to the disk than it may.";
            case FILE_TOO_LARGE -> "The command was ended: a file of it grew larger than it may.";
            case ENDLESS_OUTPUT -> "The command was ended: its output had no end.";
        };
    }
}
