package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.conv;
import static org.apache.spark.sql.functions.format_string;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.schemas.AuditExchange;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.SparkSchemas;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/// What a step has while it runs: its folder, the session, and the model to ask. Confined to one thread.
final class Stage {
    /// Columns of what {@link #ask} returns: the row a request was made of, and which of its samples this
    /// is.
    static final String ROW = "#row";
    static final String SAMPLE = "#sample";
    static final String TEXT = "#text";
    static final String FINISH = "#finish";
    /// Why there is no answer that may be used, null if there is one.
    static final String FAULT = "#fault";
    static final String FAULT_DETAIL = "#fault_detail";
    /// Struct of {@link PipelineRow#REQUEST_TYPE}.
    static final String REQUEST = "#request";

    private static final String PARAMETERS = "parameters";
    /// Hex digits of a seed: 48 bits, which every server's JSON takes.
    private static final int SEED_DIGITS = 12;
    private static final String QUARANTINE = "_millrace/quarantine";

    private final Generation generation;
    private final Pipeline.NamedStep step;
    private final int number;
    private final StepFolder folder;
    private final String fingerprint;
    private final List<StepCounts.RunFacts> runs = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final StringBuilder outcome = new StringBuilder();

    /// @param number of the step in the pipeline, from 1
    /// @param fingerprint of what goes into the step, its settings aside
    Stage(Generation generation, Pipeline.NamedStep step, int number, StepFolder folder, String fingerprint) {
        this.generation = generation;
        this.step = step;
        this.number = number;
        this.folder = folder;
        this.fingerprint = fingerprint;
    }

    SparkSession spark() {
        return generation.spark();
    }

    String name() {
        return step.name();
    }

    int number() {
        return number;
    }

    /// Seed of everything that is chosen by chance.
    long seed() {
        return generation.seed();
    }

    List<StepCounts.RunFacts> runs() {
        return runs;
    }

    List<String> notes() {
        return notes;
    }

    /// Keeps something that a reader of the step's figures should know.
    void note(String note) {
        notes.add(note);
    }

    /// Digests of what models have said in this step.
    String outcome() {
        return outcome.toString();
    }

    /// An input as the step's keys and the command line describe it.
    JobConfig.Input input(Map<String, List<String>> keys) {
        return generation.input(keys);
    }

    /// A table of this step that is computed once.
    Dataset<Row> once(String name, Supplier<Dataset<Row>> rows) {
        return folder.once(name, Fingerprints.of(fingerprint, name, outcome()), rows);
    }

    /// Has a model answer, as a run with a ledger of its own.
    ///
    /// @param name of the run among those of the step
    /// @param requests columns `row_id`, `position` and `text`
    /// @param own keys of the configuration
    /// @throws StepStoppedException if the run or its gate ended so that nothing may follow
    Dataset<Row> ask(String name, Supplier<Dataset<Row>> requests, Map<String, String> own) {
        Dataset<Row> table = once(
                name + "requests",
                () -> requests.get()
                        .select(col(PipelineRow.ROW_ID), col(PipelineRow.POSITION), col("text"), parameters())
                        .orderBy(PipelineRow.POSITION, PipelineRow.ROW_ID));
        Path output = folder.path(name + "completions");
        if (table.isEmpty()) {
            return answersOf(folder.empty(SparkSchemas.completion()));
        }
        Map<String, String> keys = new LinkedHashMap<>(own);
        keys.put("input.path", folder.path(name + "requests").toString());
        keys.put("input.parameters-column", PARAMETERS);
        keys.put("output.dir", output.toString());
        JobConfig config = generation.config(step.settings(), keys);
        int exitCode = generation.complete(name(), config);
        if (exitCode != ExitCode.OK && exitCode != ExitCode.QUARANTINED) {
            throw new StepStoppedException(name(), exitCode);
        }
        StepCounts.RunFacts facts = facts(output);
        runs.add(facts);
        outcome.append(facts.digest()).append('\n');
        return answers(output, facts);
    }

    /// A seed that follows from what the row is and not from where it stands.
    private Column parameters() {
        Column digest = sha2(concat_ws("\n", lit(seed()), lit(name()), col(PipelineRow.ROW_ID)), 256);
        return format_string("{\"seed\": %s}", conv(substring(digest, 1, SEED_DIGITS), 16, 10))
                .as(PARAMETERS);
    }

    private StepCounts.RunFacts facts(Path output) {
        JsonNode run = folder.read(output.getName() + "/_millrace/run.json", JsonNode.class);
        if (run == null) {
            throw new JobException(output + ": expected a run's manifest, got none");
        }
        return new StepCounts.RunFacts(
                output.getParent().getName() + "/" + output.getName(),
                run.at("/engine/model").asText(),
                run.at("/engine/revision").asText(),
                run.at("/engine/weights_sha").asText(),
                run.at("/engine/quantization").asText(),
                run.at("/gate/verdict").asText("off"),
                run.at("/counts/ok").asLong(),
                run.at("/counts/error").asLong(),
                run.at("/gate/quarantined").asLong(),
                run.at("/tokens/prompt").asLong(),
                run.at("/tokens/completion").asLong(),
                run.at("/digest").asText());
    }

    private Dataset<Row> answers(Path output, StepCounts.RunFacts facts) {
        Dataset<Row> answers = answersOf(spark().read().parquet(output.toString()));
        Path quarantine = new Path(output, QUARANTINE);
        if (facts.quarantined() == 0 || !exists(quarantine)) {
            return answers;
        }
        Dataset<Row> aside = spark().read()
                .parquet(quarantine.toString())
                .select(
                        col(Completion.REQUEST_ID).as("#aside"),
                        concat_ws(", ", col(AuditExchange.Quarantine.RULES)).as("#rules"));
        return answers.join(aside, col(REQUEST + ".request_id").equalTo(col("#aside")), "left")
                .withColumn(
                        FAULT_DETAIL, when(col(FAULT).isNull(), col("#rules")).otherwise(col(FAULT_DETAIL)))
                .withColumn(FAULT, coalesce(col(FAULT), when(col("#aside").isNotNull(), lit("quarantined"))))
                .drop("#aside", "#rules");
    }

    private boolean exists(Path path) {
        try {
            return folder.fileSystem().exists(path);
        } catch (IOException e) {
            throw new JobException(path + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    private Dataset<Row> answersOf(Dataset<Row> completions) {
        return completions.select(
                col(Completion.CUSTOM_ID).as(ROW),
                col(Completion.SAMPLE_IDX).cast("long").as(SAMPLE),
                col(Completion.OUTPUT_TEXT).as(TEXT),
                col(Completion.FINISH_REASON).as(FINISH),
                when(
                                col(Completion.STATUS).notEqual("ok"),
                                concat(lit("error "), coalesce(col("error.code"), col(Completion.STATUS))))
                        .as(FAULT),
                col("error.message").as(FAULT_DETAIL),
                struct(
                                lit(name()).as("step"),
                                col(Completion.REQUEST_ID).as("request_id"),
                                col("engine.model").as("model"),
                                col("engine.revision").as("revision"),
                                col("engine.weights_sha").as("weights_sha"))
                        .as(REQUEST));
    }
}
