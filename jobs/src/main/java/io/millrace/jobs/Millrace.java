package io.millrace.jobs;

import io.millrace.jobs.bench.BenchCommand;
import io.millrace.jobs.code.EvaluateCodeCommand;
import io.millrace.jobs.evaluate.EvaluateCommand;
import io.millrace.jobs.export.ExportCommand;
import io.millrace.jobs.generate.GenerateCommand;
import io.millrace.jobs.inspect.CompleteCommand;
import io.millrace.jobs.inspect.ContractCommand;
import io.millrace.jobs.inspect.DevicesCommand;
import io.millrace.jobs.inspect.InspectCommand;
import io.millrace.jobs.inspect.LogitsCommand;
import io.millrace.jobs.inspect.TokenizeCommand;
import io.millrace.jobs.plan.PlanCommand;
import io.millrace.jobs.report.CompareCommand;
import io.millrace.jobs.report.ReportCommand;
import io.millrace.jobs.rollout.RolloutCommand;
import io.millrace.jobs.serve.ServeCommand;
import io.millrace.jobs.swebench.SwebenchCommand;
import java.io.Console;
import java.io.PrintWriter;
import java.util.List;
import org.slf4j.bridge.SLF4JBridgeHandler;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/// The command `millrace`.
@Command(
        name = "millrace",
        mixinStandardHelpOptions = true,
        versionProvider = Millrace.Version.class,
        description = "Runs a mixture-of-experts language model over a corpus from Apache Spark.",
        subcommands = {
            SummarizeCommand.class,
            BatchCommand.class,
            EvaluateCodeCommand.class,
            EvaluateCommand.class,
            GenerateCommand.class,
            PlanCommand.class,
            VerifyCommand.class,
            ReportCommand.class,
            CompareCommand.class,
            ExportCommand.class,
            CompleteCommand.class,
            LogitsCommand.class,
            TokenizeCommand.class,
            InspectCommand.class,
            ContractCommand.class,
            DevicesCommand.class,
            ServeCommand.class,
            BenchCommand.class,
            RolloutCommand.class,
            SwebenchCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the run failed",
            "2:wrong usage",
            "3:the gate refused the output",
            "4:the output differs from its manifest",
            "5:the gate still sets rows aside that were to be retried"
        })
public final class Millrace {

    public static void main(String[] args) {
        // the engine speaks through java.util.logging; one configuration rules both
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        System.exit(commandLine().execute(args));
    }

    /// The command with all its subcommands, for whoever executes it with writers of his own.
    public static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new Millrace());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExecutionExceptionHandler((failure, failed, _) -> tell(failure, failed));
        return commandLine;
    }

    /// The folder the launcher said by `-Dmillrace.home`, or the one found.
    public static MillraceHome home() {
        return MillraceHome.find(System.getProperty("millrace.home"));
    }

    /// Whether a person is watching.
    @SuppressWarnings("SystemConsoleNull") // NullAway knows the older contract
    public static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    /// A failure for a person: its messages, without the program's insides unless it is a fault of ours.
    ///
    /// @return an exit code
    public static int tell(Exception failure, CommandLine commandLine) {
        PrintWriter err = commandLine.getErr();
        if (failure instanceof ConfigException config) {
            config.problems().forEach(problem -> err.println("millrace: " + problem));
            return ExitCode.USAGE;
        }
        List<String> messages = Causes.messages(failure);
        messages.forEach(message -> err.println("millrace: " + message));
        if (messages.isEmpty()) {
            failure.printStackTrace(err);
        }
        return ExitCode.ERROR;
    }

    /// Answers `--version`.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"millrace " + Builds.version() + " (Java " + Runtime.version() + ")"};
        }
    }
}
