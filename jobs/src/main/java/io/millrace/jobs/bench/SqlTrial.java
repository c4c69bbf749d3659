package io.millrace.jobs.bench;

import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.jobs.Millrace;
import io.millrace.jobs.Settings;
import io.millrace.jobs.SparkSessions;
import io.millrace.jobs.sql.MillraceExtensions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/// What SQL costs: the default job's rows through `llm_summarize`, read and written as Parquet, against the
/// job. In turn in one JVM, each with an engine of its own that has just been opened, after a short one of
/// each that is not counted.
final class SqlTrial implements Trial {
    private static final double BAR = 0.9;
    private static final int WARM_UP_ROWS = 200;

    private final Path model;
    private final int rows;
    private final int rounds;

    SqlTrial(Path model, int rows, int rounds) {
        this.model = model;
        this.rows = rows;
        this.rounds = rounds;
    }

    @Override
    public ObjectNode run() throws IOException {
        job(Math.min(rows, WARM_UP_ROWS));
        query(Math.min(rows, WARM_UP_ROWS));
        List<Double> jobs = new ArrayList<>();
        List<Double> queries = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            jobs.add(job(rows));
            queries.add(query(rows));
        }
        return Trial.rates(rows, "query", queries, "job", jobs, BAR);
    }

    private double job(int limit) throws IOException {
        return SummarizeRun.of(model, limit).tokensPerSecond();
    }

    private double query(int limit) throws IOException {
        JobConfig config = JobConfig.resolve(
                Millrace.home(),
                List.of(new Settings(
                        "bench",
                        Map.of(
                                "engine.model-dir", List.of(model.toString()),
                                "spark.sql.extensions", List.of(MillraceExtensions.class.getName())))));
        Path folder = Files.createTempDirectory("millrace-bench-");
        SparkSession spark = SparkSessions.open(config);
        try {
            session(config).forEach((key, value) -> spark.conf().set("spark.millrace." + key, value));
            Dataset<Row> corpus = spark.read().parquet(config.input().paths().getFirst());
            // waits for the engine
            Row first = answers(corpus.limit(1)).first();
            long begun = System.nanoTime();
            answers(corpus.limit(limit))
                    .write()
                    .parquet(folder.resolve("output").toString());
            double seconds = (System.nanoTime() - begun) / 1e9;
            return tokens(spark.read().parquet(folder.resolve("output").toString()), limit, first) / seconds;
        } finally {
            spark.stop();
            SummarizeRun.delete(folder);
        }
    }

    private static Map<String, String> session(JobConfig config) {
        return Map.of(
                "sampling.beams", String.valueOf(config.sampling().beams()),
                "sampling.lengthPenalty", String.valueOf(config.sampling().lengthPenalty()),
                "sampling.maxTokens", String.valueOf(config.sampling().maxTokens()),
                "prompt.maxTokens", String.valueOf(config.prompt().maxPromptTokens()),
                "prompt.overlong", config.prompt().overlong().wireName());
    }

    private Dataset<Row> answers(Dataset<Row> corpus) {
        return corpus.select(
                col("package"),
                call_function("llm_summarize", lit(model.toString()), col("description"))
                        .as("answer"));
    }

    private static long tokens(Dataset<Row> answers, int rows, Row first) {
        Row sums = answers.agg(
                        count(col("answer.value")),
                        sum(col("answer.usage.prompt_tokens")),
                        sum(col("answer.usage.completion_tokens")))
                .first();
        if (sums.getLong(0) != rows) {
            throw new JobException("expected " + rows + " answers, got " + sums.getLong(0) + "; the first: " + first);
        }
        return sums.getLong(1) + sums.getLong(2);
    }
}
