package io.millrace.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.shard.AnsweredRows;
import io.millrace.udf.shard.InputRecipe;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/// A run that is complete, read again in the order of its input.
public final class FinishedRun {
    private static final String CONFIG = "config.yaml";

    private final CompletionSink sink;
    private final EarlierRun run;
    private final JobConfig config;
    private final Configuration conf;

    private FinishedRun(CompletionSink sink, EarlierRun run, JobConfig config, Configuration conf) {
        this.sink = sink;
        this.run = run;
        this.config = config;
        this.conf = conf;
    }

    /// @throws JobException if there is no run there, or none that is finished
    public static FinishedRun open(String outputDir, MillraceHome home, Configuration conf) {
        CompletionSink sink = CompletionSink.open(outputDir, conf);
        EarlierRun run = EarlierRun.read(sink);
        String state = run == null ? "none" : run.manifest().path("state").asText();
        if (run == null || (!state.equals("committed") && !state.equals("gated"))) {
            throw new JobException("output " + sink.location() + ": expected a finished run, got "
                    + (run == null ? "none" : "one that is " + state));
        }
        try (BufferedReader yaml = sink.openAside(CONFIG)) {
            Settings settings =
                    Settings.ofYaml(sink.aside(CONFIG).toString(), yaml.lines().collect(Collectors.joining("\n")));
            return new FinishedRun(sink, run, JobConfig.resolve(home, List.of(settings)), conf);
        } catch (IOException e) {
            throw new JobException(sink.aside(CONFIG) + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// What `run.json` holds.
    public ObjectNode manifest() {
        return run.manifest();
    }

    /// How its prompts were made.
    public PromptRecipe prompt() {
        return config.prompt();
    }

    public JobConfig config() {
        return config;
    }

    /// Hands on every input row with its completions.
    ///
    /// @param withInput whether the input is read too, which must then be there unchanged
    /// @throws io.millrace.udf.shard.ShardException if a file is missing, damaged or another one
    public void forEach(boolean withInput, Consumer<AnsweredRows.Answered> consumer) {
        String fingerprint = run.fingerprint().sha256();
        int samples = run.manifest().path("samples").asInt(1);
        InputRecipe input = withInput ? input() : null;
        run.plan().forEachShard(shard -> {
            try (AnsweredRows rows = AnsweredRows.open(shard, sink.output(), fingerprint, samples, input, conf)) {
                rows.forEachRemaining(consumer);
            }
        });
    }

    private @Nullable InputRecipe input() {
        JobConfig.Input input = config.input();
        return new InputRecipe(
                run.plan().format(),
                run.plan().textColumn(),
                config.prompt().format().isJson(),
                input.idColumn(),
                input.referenceColumn(),
                input.parametersColumn(),
                input.continuationsColumn(),
                input.faultColumn(),
                PromptTemplate.parse(config.prompt().template()).columns());
    }
}
