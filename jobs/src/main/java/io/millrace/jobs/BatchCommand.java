package io.millrace.jobs;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace batch`: requests in, their answers out. Every option is a key of the configuration by
/// another name.
@Command(
        name = "batch",
        mixinStandardHelpOptions = true,
        description = {
            "Answers requests in bulk: OpenAI-batch JSONL, a column of messages, or a template over any columns.",
            "One output row per request and sample, as Parquet; millrace export writes other formats."
        })
final class BatchCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RunOptions run = new RunOptions();

    @Option(names = "--text-column", paramLabel = "NAME", description = "Column of the texts or messages.")
    private @Nullable String textColumn;

    @Option(
            names = "--parameters-column",
            paramLabel = "NAME",
            description = "Column of JSON objects: what each row asks for, as in the body of an OpenAI request.")
    private @Nullable String parametersColumn;

    @Option(
            names = "--continuations-column",
            paramLabel = "NAME",
            description = "Column of JSON arrays of strings to score behind the prompt.")
    private @Nullable String continuationsColumn;

    @Option(
            names = "--prompt-format",
            paramLabel = "FORMAT",
            description = "chat, messages, raw or openai: what the text is.")
    private @Nullable String promptFormat;

    @Option(
            names = "--prompt-template",
            paramLabel = "TEXT",
            description = "The user's turn; {text} and {column} are filled in.")
    private @Nullable String promptTemplate;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Longest answer, in tokens, unless the row says.")
    private @Nullable String maxTokens;

    @Option(names = "--samples", paramLabel = "N", description = "Samples per row; the most that a row may ask for.")
    private @Nullable String samples;

    @Option(
            names = "--logprobs",
            paramLabel = "N",
            description = "Tell each token's log-probability, and those of the N likeliest.")
    private @Nullable String logprobs;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        MillraceHome home = Millrace.home();
        JobConfig config = JobConfig.resolve(home, run.layers(own()));
        var out = spec.commandLine().getOut();
        if (run.isDryRun()) {
            out.print(ConfigFile.yaml(config));
            out.flush();
            return ExitCode.OK;
        }
        return new CompletionJob(
                        config, run.request(config), out, spec.commandLine().getErr(), Millrace.isTerminal())
                .run(home);
    }

    private Map<String, String> own() {
        Map<String, String> own = new LinkedHashMap<>();
        put(own, "input.text-column", textColumn);
        put(own, "input.parameters-column", parametersColumn);
        put(own, "input.continuations-column", continuationsColumn);
        put(own, "prompt.format", promptFormat);
        put(own, "prompt.template", promptTemplate);
        put(own, "sampling.max-tokens", maxTokens);
        put(own, "sampling.samples", samples);
        put(own, "sampling.logprobs", logprobs);
        return own;
    }

    private static void put(Map<String, String> own, String key, @Nullable String value) {
        if (value != null) {
            own.put(key, value);
        }
    }
}
