package io.millrace.jobs.swebench;

import io.millrace.jobs.ExitCode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `millrace swebench`: predictions for SWE-bench instances, and what they are worth.
@Command(
        name = "swebench",
        mixinStandardHelpOptions = true,
        description = "Asks a model for patches to SWE-bench instances, and grades patches by the official rules.",
        subcommands = {PredictCommand.class, GradeCommand.class, PrimeCommand.class})
public final class SwebenchCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        spec.commandLine().usage(spec.commandLine().getErr());
        return ExitCode.USAGE;
    }
}
