package io.millrace.jobs;

import io.millrace.jobs.RunRequest.IfDifferent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import scala.Tuple2;

/// Options of every command that has rows computed. Each is a key of the configuration by another name.
public final class RunOptions {

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    @Option(
            names = "--input",
            paramLabel = "PATH",
            description = "File, directory or glob; local, hdfs: or s3a:. Repeatable.")
    private List<String> inputs = new ArrayList<>();

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "parquet, jsonl, openai-batch, csv or text. Default: by file name.")
    private @Nullable String format;

    @Option(names = "--id-column", paramLabel = "NAME", description = "Column copied to custom_id.")
    private @Nullable String idColumn;

    @Option(names = "--whole-files", description = "A text file is one document, not one per line.")
    private boolean wholeFiles;

    @Option(names = "--limit", paramLabel = "N", description = "Only the first N rows.")
    private @Nullable String limit;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Directory to write; a run that is there goes on. Default: output/summarize-TIME.")
    private @Nullable String output;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "Model, as the executors see it: a folder or GGUF file; local, hdfs: or s3a:.")
    private @Nullable String model;

    @Option(names = "--master", paramLabel = "URL", description = "Spark master. Default: local[*,4].")
    private @Nullable String master;

    @Option(names = "--no-gate", description = "Do not judge the output.")
    private boolean noGate;

    @Option(names = "--rules", paramLabel = "FILE", description = "Rules of the gate. Default: the starter rules.")
    private @Nullable String rules;

    @Option(
            names = "--metrics-repository",
            paramLabel = "FILE",
            description = "Keep the gate's metrics there, and judge drift against runs it holds.")
    private @Nullable String metricsRepository;

    @Option(names = "--quality-master", paramLabel = "URL", description = "Spark master of the gate's own process.")
    private @Nullable String qualityMaster;

    @Option(names = "--config", paramLabel = "FILE", description = "YAML file of keys.")
    private @Nullable Path configFile;

    @Option(
            names = "-c",
            paramLabel = "KEY=VALUE",
            description = "Any key, also spark.*. Repeatable; wins over everything else.")
    private Map<String, String> keys = new LinkedHashMap<>();

    @ArgGroup(exclusive = true)
    private @Nullable OtherRun otherRun;

    /// What becomes of another run in the output directory.
    static final class OtherRun {
        @Option(names = "--new-run", description = "Begin a new run; one that is in the output directory is set aside.")
        private boolean newRun;

        @Option(
                names = "--redo",
                description = "Go on with the run in the output directory although settings or input have changed: do"
                        + " again what differs.")
        private boolean redo;
    }

    @Option(
            names = "--retry-errors",
            description = "Of the run in the output directory, compute again the rows that failed.")
    private boolean retryErrors;

    @ArgGroup(exclusive = true)
    private @Nullable Retries retries;

    /// What becomes of rows that the gate sets aside.
    static final class Retries {
        @Option(
                names = "--retry-quarantined",
                description = "Compute again, once, the rows that the gate has set aside, with the parameters that its"
                        + " rules give, and ask it again.")
        private boolean once;

        @Option(
                names = "--gate-retries",
                paramLabel = "N",
                description = "The same until nothing is set aside, or every row that is has been retried N times.")
        private int upTo;
    }

    @Option(names = "--no-report", description = "Do not write _millrace/report.html at the end.")
    private boolean noReport;

    @Option(names = "--dry-run", description = "Print the resolved configuration and stop.")
    private boolean dryRun;

    /// Only what is to be done is wanted, not the doing.
    public boolean isDryRun() {
        return dryRun;
    }

    /// The layers of the configuration, the strongest last.
    ///
    /// @param own what the command itself has for its own options, by key
    public List<Settings> layers(Map<String, String> own) {
        List<Settings> layers = new ArrayList<>();
        if (configFile != null) {
            layers.add(Settings.ofYaml(configFile));
        }
        Map<String, String> sparkConf = new LinkedHashMap<>();
        for (Tuple2<String, String> entry : new SparkConf().getAll()) {
            sparkConf.put(entry._1(), entry._2());
        }
        layers.add(Settings.ofSparkConf(sparkConf));
        layers.add(options(own));
        Map<String, List<String>> given = new LinkedHashMap<>();
        keys.forEach((key, value) -> given.put(key, List.of(value)));
        layers.add(new Settings("-c", given));
        return layers;
    }

    /// What becomes of a run that is in the output directory.
    public RunRequest request(JobConfig config) {
        IfDifferent ifDifferent = IfDifferent.REFUSE;
        if (otherRun != null && otherRun.newRun) {
            ifDifferent = IfDifferent.NEW_RUN;
        } else if (otherRun != null && otherRun.redo) {
            ifDifferent = IfDifferent.REDO;
        }
        return new RunRequest(
                commandSpec().commandLine().getParseResult().originalArgs(),
                ifDifferent,
                retryErrors,
                gateRetries(config),
                !noReport);
    }

    private RunRequest.GateRetries gateRetries(JobConfig config) {
        if (retries == null) {
            return RunRequest.GateRetries.NONE;
        }
        if (!config.gate().enabled()) {
            throw new ConfigException(List.of("--gate-retries, --retry-quarantined: expected a gate, got none"));
        }
        if (!retries.once && retries.upTo < 1) {
            throw new ConfigException(List.of("--gate-retries: expected a whole number >= 1, got " + retries.upTo));
        }
        return retries.once ? RunRequest.GateRetries.ONCE_MORE : RunRequest.GateRetries.upTo(retries.upTo);
    }

    private CommandSpec commandSpec() {
        if (command == null) {
            throw new IllegalStateException("picocli sets the command before it calls it");
        }
        return command;
    }

    private Settings options(Map<String, String> own) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        own.forEach((key, value) -> values.put(key, List.of(value)));
        if (!inputs.isEmpty()) {
            values.put("input.path", inputs);
        }
        put(values, "input.format", format);
        put(values, "input.id-column", idColumn);
        put(values, "input.whole-files", wholeFiles ? "true" : null);
        put(values, "input.limit", limit);
        put(values, "output.dir", output);
        put(values, "engine.model-dir", model);
        put(values, "spark.master", master);
        put(values, "gate.enabled", noGate ? "false" : null);
        put(values, "gate.rules", rules);
        put(values, "gate.master", qualityMaster);
        put(values, "gate.metrics-repository", metricsRepository);
        return new Settings("command line", values);
    }

    private static void put(Map<String, List<String>> values, String key, @Nullable String value) {
        if (value != null) {
            values.put(key, List.of(value));
        }
    }
}
