package io.millrace.jobs;

import io.millrace.jobs.summarize.LongDocumentJob;
import io.millrace.jobs.summarize.SummarizeConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace summarize`: a corpus in, its summaries out. Every option is a key of the configuration by
/// another name.
@Command(
        name = "summarize",
        mixinStandardHelpOptions = true,
        description = {
            "Summarises a corpus in bulk: one output row per input row, as Parquet, judged by the gate.",
            "Without any option: the bundled corpus with the bundled model on this machine."
        })
final class SummarizeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RunOptions run = new RunOptions();

    @Option(names = "--text-column", paramLabel = "NAME", description = "Column of the texts to summarise.")
    private @Nullable String textColumn;

    @Option(
            names = "--reference-column",
            paramLabel = "NAME",
            description = "Column of reference summaries, for ROUGE.")
    private @Nullable String referenceColumn;

    @Option(
            names = "--prompt-template",
            paramLabel = "TEXT",
            description = "The user's turn; {text} and {column} are filled in.")
    private @Nullable String promptTemplate;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Longest summary, in tokens.")
    private @Nullable String maxTokens;

    @Option(
            names = "--strategy",
            paramLabel = "NAME",
            description = "How documents longer than a prompt are summarised: single, map-reduce, refine or"
                    + " hierarchical.")
    private @Nullable String strategy;

    @Option(
            names = "--metrics",
            description = "Measure the summaries beside the lead of their texts; strategies other than single always"
                    + " are.")
    private boolean metrics;

    @Override
    public Integer call() {
        MillraceHome home = Millrace.home();
        List<Settings> layers = run.layers(own());
        SummarizeConfig.Resolved resolved = SummarizeConfig.resolve(home, layers);
        JobConfig config = resolved.job();
        var out = commandSpec().commandLine().getOut();
        if (run.isDryRun()) {
            out.print(ConfigFile.yaml(config, "summarize", resolved.summarize().keys()));
            out.flush();
            return ExitCode.OK;
        }
        if (resolved.summarize().isLong() || resolved.summarize().metrics()) {
            return new LongDocumentJob(
                            home,
                            layers,
                            resolved,
                            run.request(config),
                            out,
                            commandSpec().commandLine().getErr(),
                            Millrace.isTerminal())
                    .run();
        }
        return new CompletionJob(
                        config,
                        run.request(config),
                        out,
                        commandSpec().commandLine().getErr(),
                        Millrace.isTerminal())
                .run(home);
    }

    private Map<String, String> own() {
        Map<String, String> own = new LinkedHashMap<>();
        put(own, "input.text-column", textColumn);
        put(own, "input.reference-column", referenceColumn);
        put(own, "prompt.template", promptTemplate);
        put(own, "sampling.max-tokens", maxTokens);
        put(own, "summarize.strategy", strategy);
        put(own, "summarize.metrics", metrics ? "true" : null);
        return own;
    }

    private static void put(Map<String, String> own, String key, @Nullable String value) {
        if (value != null) {
            own.put(key, value);
        }
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        return spec;
    }
}
