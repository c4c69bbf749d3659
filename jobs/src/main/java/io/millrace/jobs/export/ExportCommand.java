package io.millrace.jobs.export;

import io.millrace.jobs.ExitCode;
import io.millrace.jobs.FinishedRun;
import io.millrace.jobs.JobException;
import io.millrace.jobs.Millrace;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace export`: a finished run in another tool's format.
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = {
            "Writes the rows of a finished run in the format of another tool, in the order of the input.",
            "The formats lm-eval and hf-messages read the input again, which must be there unchanged."
        })
public final class ExportCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "OUTPUT", description = "Directory of the run.")
    private String output = "";

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            required = true,
            description = "openai-batch, swebench, lm-eval, evalplus or hf-messages.")
    private String format = "";

    @Option(names = "--to", paramLabel = "DIR", required = true, description = "Directory of this host to write to.")
    private Path to = Path.of("");

    @Option(
            names = "--task",
            paramLabel = "NAME",
            defaultValue = "millrace",
            description = "Name of the task in lm-eval's files. Default: ${DEFAULT-VALUE}.")
    private String task = "";

    @Option(
            names = "--completions",
            description = "For evalplus: an answer is what follows the prompt, not a whole program.")
    private boolean completions;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        FinishedRun run = FinishedRun.open(output, Millrace.home(), new Configuration());
        Projection projection = projection(run);
        PrintWriter out = spec.commandLine().getOut();
        try (JsonLines lines = new JsonLines(to)) {
            run.forEach(projection.needsInput(), answered -> projection.write(answered, lines));
            lines.finish()
                    .forEach((file, count) -> out.printf(Locale.ROOT, "%,d lines in %s%n", count, to.resolve(file)));
        }
        out.flush();
        return ExitCode.OK;
    }

    private Projection projection(FinishedRun run) {
        return switch (format) {
            case "openai-batch" -> new OpenAiBatch();
            case "swebench" -> new SweBench();
            case "lm-eval" -> new LmEval(task, new Prompts(run.prompt()));
            case "evalplus" -> new EvalPlus(!completions);
            case "hf-messages" -> new HfMessages(new Prompts(run.prompt()));
            default ->
                throw new JobException(
                        "--format: expected openai-batch, swebench, lm-eval, evalplus or hf-messages, got " + format);
        };
    }
}
