package io.millrace.jobs;

import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.util.List;
import picocli.CommandLine.Option;

/// The option of every command that runs programs which a model wrote.
public final class CodeExecutionConsent {

    @Option(
            names = "--allow-code-execution",
            description = "Needed: this command runs programs that a model wrote, on the executors, in a sandbox.")
    private boolean given;

    /// @throws ConfigException if consent was not given, or this machine has no sandbox. Executors look for themselves.
    public void require() {
        if (!given) {
            throw new ConfigException(List.of("--allow-code-execution: expected, got none: this command runs programs"
                    + " that a model wrote; jobs/docs/code-execution.md says what holds them"));
        }
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            throw new ConfigException(List.of(String.valueOf(e.getMessage())));
        }
    }
}
