package io.millrace.jobs.swebench;

import io.millrace.jobs.JobException;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.shard.WholeFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/// What is before and after the completions: prompts of instances, and predictions from answers.
///
/// @param output holds `requests-HASH/`, `completions/` and `predictions.jsonl`
record PredictJob(String output, String repositories, PromptContext context) {
    private static final int TASKS_PER_SLOT = 4;

    String completions() {
        return output + "/completions";
    }

    /// Writes the prompts, unless they are there. They have a name for each dataset and context, so
    /// that a run that goes on finds the input it had.
    ///
    /// @return the folder
    String writePrompts(SparkSession session, Dataset dataset) {
        List<String> instances =
                dataset.instances().values().stream().map(PromptFunction::json).toList();
        Path folder = new Path(output, "requests-" + hash(instances));
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        try {
            if (folder.getFileSystem(spark.hadoopConfiguration()).exists(new Path(folder, "_SUCCESS"))) {
                return folder.toString();
            }
        } catch (IOException e) {
            throw new JobException("output " + output + ": expected to be readable, got " + e.getMessage(), e);
        }
        int tasks = Math.min(instances.size(), TASKS_PER_SLOT * spark.defaultParallelism());
        session.createDataFrame(
                        spark.parallelize(instances, tasks).map(new PromptFunction(repositories, context)),
                        PromptFunction.SCHEMA)
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(folder.toString());
        return folder.toString();
    }

    private String hash(List<String> instances) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            instances.forEach(instance -> digest.update(instance.getBytes(StandardCharsets.UTF_8)));
            digest.update(context.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// Writes a predictions file for each sample: `predictions.jsonl`, and `predictions-N.jsonl` of the
    /// samples after the first. A row that failed is a prediction without a patch.
    ///
    /// @return the first
    Path writePredictions(SparkSession session, String model) {
        Map<Integer, StringBuilder> samples = new LinkedHashMap<>();
        List<Row> rows = session.read()
                .parquet(completions())
                .select(Completion.CUSTOM_ID, Completion.SAMPLE_IDX, Completion.STATUS, Completion.OUTPUT_TEXT)
                .orderBy(functions.col(Completion.SAMPLE_IDX), functions.col(Completion.CUSTOM_ID))
                .collectAsList();
        for (Row row : rows) {
            String patch = row.getString(2).equals("ok") ? PatchInAnswer.of(row.getString(3)) : null;
            samples.computeIfAbsent(row.getInt(1), _ -> new StringBuilder())
                    .append(Predictions.line(new Prediction(row.getString(0), model, patch)));
        }
        Configuration conf = session.sparkContext().hadoopConfiguration();
        samples.forEach((sample, lines) -> write(name(sample), lines.toString(), conf));
        return name(0);
    }

    private Path name(int sample) {
        return new Path(output, sample == 0 ? "predictions.jsonl" : "predictions-" + sample + ".jsonl");
    }

    private void write(Path target, String lines, Configuration conf) {
        try {
            WholeFiles.on(target, conf)
                    .write(new Path(output), target, out -> out.write(lines.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new JobException(target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }
}
