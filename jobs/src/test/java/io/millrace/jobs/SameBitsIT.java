package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.FaultyEngineProvider;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// One corpus, the bundled model, many ways: whatever the partitions, the batch, the threads, the chunks of
/// prompts and the tasks that fail, every row has the same bits.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SameBitsIT {
    private static final int ROWS = 64;
    private static final String WARM = "sampling.temperature=0.8";

    @TempDir
    private static Path dir = Path.of("");

    private final SparkSession spark = SparkSession.builder()
            .master("local[2,4]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate();

    private Path corpus = dir;

    @BeforeAll
    void corpus() {
        corpus = dir.resolve("corpus");
        spark.read()
                .parquet("corpus/debian-synopsis-test.parquet")
                .limit(ROWS)
                .coalesce(1)
                .write()
                .parquet(corpus.toString());
    }

    @AfterAll
    void stop() {
        spark.stop();
    }

    /// Runs the corpus one way.
    ///
    /// @return every row as text, less the columns that say how it came about, in input order
    private List<Row> run(Path input, String... settings) {
        Path output = dir.resolve("out-" + String.join("-", settings).hashCode() + input.getFileName());
        Map<String, List<String>> values = new TreeMap<>();
        Stream.of(
                        Stream.of(
                                "input.path=" + input,
                                "output.dir=" + output,
                                "input.text-column=description",
                                "input.id-column=package",
                                "sampling.max-tokens=8",
                                "sampling.seed=7",
                                "prompt.max-tokens=40",
                                "gate.enabled=false"),
                        Stream.of(settings))
                .flatMap(part -> part)
                .map(setting -> setting.split("=", 2))
                .forEach(setting -> values.put(setting[0], List.of(setting[1])));
        MillraceHome home = new MillraceHome(Path.of("..").toAbsolutePath().normalize(), dir);
        JobConfig config = JobConfig.resolve(home, List.of(new Settings("test", values)));
        PrintWriter unseen = new PrintWriter(new StringWriter());
        try (Gate gate = new Gate(home, config.gate())) {
            RunRequest request = new RunRequest(List.of(), RunRequest.IfDifferent.REFUSE, false);
            int exit = new CompletionJob(config, request, unseen, unseen, false)
                    .run(JavaSparkContext.fromSparkContext(spark.sparkContext()), gate);
            assertThat(exit).isEqualTo(ExitCode.OK);
        }
        List<Row> rows = spark.read()
                .parquet(output.toString())
                .drop(Completion.INCIDENTAL.toArray(String[]::new))
                .orderBy("input_ref", "sample_idx")
                .collectAsList();
        assertThat(rows)
                .hasSize(ROWS)
                .allSatisfy(row -> assertThat(row.<String>getAs("status")).isEqualTo("ok"));
        return rows;
    }

    @Test
    void partitionsBatchesAndThreads_inEighteenWays() {
        List<Row> first = null;
        // 1, 7 and 64 shards, each a task's or more
        for (int shardRows : new int[] {ROWS, 10, 1}) {
            for (int batch : new int[] {1, 3, 64}) {
                for (int threads : new int[] {1, 2}) {
                    List<Row> rows = run(
                            corpus,
                            WARM,
                            "plan.shard-rows=" + shardRows,
                            "engine.max-running=" + batch,
                            "engine.threads=" + threads);
                    first = first == null ? rows : first;
                    assertThat(rows)
                            .as("shards of " + shardRows + ", batch " + batch + ", threads " + threads)
                            .isEqualTo(first);
                }
            }
        }
    }

    @Test
    void greedy_inWaysThatShareNothing() {
        List<Row> alone = run(corpus, "plan.shard-rows=" + ROWS, "engine.max-running=1", "engine.threads=1");

        assertThat(run(corpus, "plan.shard-rows=10", "engine.max-running=3", "engine.threads=2"))
                .isEqualTo(alone);
        assertThat(run(corpus, "plan.shard-rows=1", "engine.max-running=64", "engine.threads=2"))
                .isEqualTo(alone);
    }

    @Test
    void promptsInChunks_ofAnySize() {
        List<Row> whole = run(corpus, WARM, "engine.step-tokens=512");

        assertThat(run(corpus, WARM, "engine.step-tokens=7")).isEqualTo(whole);
        assertThat(run(corpus, WARM, "engine.step-tokens=33")).isEqualTo(whole);
    }

    @Test
    void taskThatFails_andIsRunAgain() {
        List<Row> undisturbed = run(corpus, WARM, "plan.shard-rows=10");
        int faults = FaultyEngineProvider.faults();

        List<Row> disturbed = run(corpus, WARM, "plan.shard-rows=10", "engine.kind=" + FaultyEngineProvider.KIND);

        assertThat(FaultyEngineProvider.faults()).isGreaterThan(faults);
        assertThat(texts(disturbed)).isEqualTo(texts(undisturbed));
    }

    /// Greedy, because the random numbers of a row follow from its place.
    @Test
    void inputInAnotherOrder_hasTheSameAnswers() {
        Path shuffled = dir.resolve("shuffled");
        spark.read()
                .parquet(corpus.toString())
                .orderBy(functions.sha1(functions.col("package")))
                .coalesce(1)
                .write()
                .parquet(shuffled.toString());

        List<Row> there = run(shuffled, "engine.max-running=5", "plan.shard-rows=9");

        List<Row> here = run(corpus, "engine.max-running=64");
        assertThat(there).extracting(row -> row.getAs("custom_id")).isNotEqualTo(keys(here));
        assertThat(texts(there)).isEqualTo(texts(here));
    }

    private static List<Object> keys(List<Row> rows) {
        List<Object> keys = new ArrayList<>();
        rows.forEach(row -> keys.add(row.getAs("custom_id")));
        return keys;
    }

    /// What was answered, by the caller's key: text, tokens and the mean of their logarithms to the last bit.
    private static Map<String, String> texts(List<Row> rows) {
        Map<String, String> texts = new TreeMap<>();
        for (Row row : rows) {
            texts.put(
                    row.getAs("custom_id"),
                    row.getAs("output_text") + " " + row.getAs("completion_tokens") + " " + row.getAs("finish_reason")
                            + " " + Double.doubleToLongBits(row.getAs("mean_logprob")));
        }
        return texts;
    }
}
