package io.millrace.jobs.sql;

import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.udf.EnginePlugin;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ExecutorEngine;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.Thinking;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scala.jdk.javaapi.CollectionConverters;

/// The functions of Spark SQL in one session: ten rows through the tests' engine, which counts what it is
/// asked and answers with the first twelve bytes of a prompt, and some through the bundled model.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SqlFunctionsIT {
    private static final String KIND = "spark.millrace.engine.kind";
    private static final String BUNDLED = "../engine/models/synopsis-v4";
    private static final int ROWS = 10;

    private final SparkSession spark = SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.plugins", EnginePlugin.class.getName())
            .config("spark.sql.extensions", MillraceExtensions.class.getName())
            .config(KIND, "fake")
            .getOrCreate();

    @BeforeAll
    void rows() {
        List<Row> rows = IntStream.range(0, ROWS)
                .mapToObj(id -> RowFactory.create(id, "prompt number " + id, id % 2 == 0 ? "even" : "odd"))
                .toList();
        StructType schema = new StructType()
                .add("id", DataTypes.IntegerType)
                .add("prompt", DataTypes.StringType)
                .add("kind", DataTypes.StringType);
        spark.createDataFrame(
                        JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(rows, 2), schema)
                .createOrReplaceTempView("t");
    }

    @AfterAll
    void stop() {
        spark.stop();
    }

    private EngineRecipe recipe(String model) {
        CallRecipe call = new CallRecipe(ModelFunction.GENERATE, model, null, null, PromptFormat.CHAT);
        Map<String, String> conf = CollectionConverters.asJava(spark.conf().getAll());
        return SqlSettings.of(conf).task(call).generate().engine();
    }

    /// Requests that the tests' engine has answered.
    private long answered() {
        try (ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(recipe("fake"))) {
            return lease.engine().stats().steps();
        }
    }

    private long asked(Dataset<Row> query, int rows) {
        long before = answered();
        assertThat(query.collectAsList()).hasSize(rows);
        return answered() - before;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        10 | 10 | SELECT r.value, r.usage.prompt_tokens, r.error FROM (SELECT ASK(prompt) AS r FROM t)
        10 | 10 | SELECT ASK(prompt).value, ASK(prompt).finish_reason, ASK(prompt) AS r FROM t
        4  | 4  | SELECT ASK(prompt).value FROM t WHERE ASK(prompt).finish_reason = 'stop' AND id < 4
        4  | 4  | SELECT * FROM (SELECT id, ASK(prompt) AS r FROM t) WHERE r.finish_reason = 'stop' AND id < 4
        10 | 0  | SELECT * FROM (SELECT id, ASK(prompt) AS r FROM t) WHERE r.finish_reason = 'length'
        3  | 3  | SELECT ASK(prompt).value FROM t LIMIT 3
        3  | 3  | SELECT id, ASK(prompt).value FROM t ORDER BY id DESC LIMIT 3
        2  | 2  | SELECT id, ASK(prompt).value FROM t ORDER BY id LIMIT 2 OFFSET 5
        10 | 3  | SELECT id, ASK(prompt).value AS v FROM t ORDER BY v DESC LIMIT 3
        0  | 10 | SELECT id FROM (SELECT id, ASK(prompt) AS r FROM t)
        0  | 1  | SELECT count(*) FROM (SELECT id, ASK(prompt) AS r FROM t)
        10 | 1  | SELECT count_if(ASK(prompt).finish_reason = 'stop'), max(ASK(prompt).value) FROM t
        10 | 1  | SELECT ASK(prompt).finish_reason, count(*) FROM t GROUP BY ASK(prompt).finish_reason
        10 | 1  | SELECT ASK(prompt).finish_reason, count(*) FROM t GROUP BY 1 HAVING count(*) > 1
        2  | 2  | SELECT kind, count(*), ASK(concat_ws(' ', collect_list(prompt))).value FROM t GROUP BY kind
        2  | 2  | SELECT concat(kind, 1), ASK(concat(kind, 1)).value FROM t GROUP BY concat(kind, 1)
        20 | 10 | SELECT ASK(concat('b', ASK(prompt).value)).value FROM t
        10 | 10 | SELECT id, row_number() OVER (ORDER BY ASK(prompt).value) FROM t
        10 | 10 | WITH c AS (SELECT id, ASK(prompt) AS r FROM t) SELECT a.r.value FROM c a JOIN c b ON a.id = b.id
        20 | 10 | SELECT id, ASK(kind).value FROM t WHERE ASK(prompt).value <> kind
        10 | 20 | SELECT id, r.value FROM (SELECT id, ASK(prompt) AS r FROM t) LATERAL VIEW explode(array(1, 2)) AS n
        10 | 20 | SELECT id, word FROM t LATERAL VIEW explode(split(ASK(prompt).value, ' ')) AS word
        10 | 10 | SELECT id, ASK(prompt).value FROM t ORDER BY ASK(prompt).value
        10 | 10 | SELECT /*+ REPARTITION_BY_RANGE(3, v) */ id, v FROM (SELECT id, ASK(prompt).value AS v FROM t)
        10 | 20 | SELECT id, ASK(prompt).value FROM t UNION ALL SELECT id, kind FROM t
        10 | 10 | SELECT id FROM t WHERE id IN (SELECT id FROM t WHERE ASK(prompt).finish_reason = 'stop')
        5  | 10 | SELECT id, ASK(CASE WHEN kind = 'odd' THEN prompt END) AS r FROM t
        1  | 10 | SELECT id, (SELECT ASK(max(prompt)).value FROM t) FROM t
        1  | 1  | SELECT ASK('a prompt of the query itself').value
        """)
    void query_asksOnceForEachRowThatItNeeds(long asked, int rows, String query) {
        Dataset<Row> answers = spark.sql(query.replace("ASK(", "llm_generate('fake', "));

        assertThat(asked(answers, rows)).as(answers.queryExecution().toString()).isEqualTo(asked);
    }

    @Test
    void answersThatAreKept_areAskedForOnce(@TempDir Path dir) {
        long before = answered();
        String query = "SELECT id, llm_generate('fake', prompt) AS r FROM t";
        spark.sql("INSERT OVERWRITE DIRECTORY '" + dir.resolve("kept") + "' USING parquet " + query);
        Dataset<Row> cached = spark.sql(query).cache();

        assertThat(spark.read()
                        .parquet(dir.resolve("kept").toString())
                        .except(cached)
                        .count())
                .isZero();
        assertThat(cached.alias("a").join(cached.alias("b"), "id").count()).isEqualTo(ROWS);
        assertThat(answered() - before).isEqualTo(2 * ROWS);
        cached.unpersist();
    }

    @Test
    void answers_areThoseOfTheirRows() {
        List<Row> rows = spark.sql(
                        "SELECT prompt, llm_generate('fake', substr(prompt, 8)).value, CAST(id AS DOUBLE) FROM t")
                .collectAsList();

        assertThat(rows).hasSize(ROWS).allSatisfy(row -> {
            assertThat(row.getString(1)).isEqualTo(row.getString(0).substring(7));
            assertThat(row.getString(0)).endsWith(" " + (int) row.getDouble(2));
        });
    }

    @Test
    void errors_areOfTheirRowsAndNullsAskNothing() {
        spark.sql("SELECT * FROM VALUES (1, 'fine'), (2, 'REFUSE-ME'), (3, ' '), (4, CAST(NULL AS STRING)),"
                        + " (5, 'BREAK-ENCODER') AS v(id, prompt)")
                .createOrReplaceTempView("faulty");
        Map<Integer, String> outcomes = new TreeMap<>();
        spark.sql("SELECT id, r IS NULL, r.value, r.finish_reason, r.error.class, r.error.code FROM"
                        + " (SELECT id, llm_generate('fake', prompt, max_tokens => 3) AS r FROM faulty)")
                .collectAsList()
                .forEach(row -> outcomes.put(row.getInt(0), row.mkString(",").substring(2)));

        assertThat(outcomes)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        1, "false,fine,stop,null,null",
                        2, "false,null,error,BAD_INPUT,INVALID_REQUEST",
                        3, "false,null,error,BAD_INPUT,TEXT_BLANK",
                        4, "true,null,null,null,null",
                        5, "false,null,error,INTERNAL,INTERNAL"));
        assertThat(spark.sql("SELECT llm_generate('fake', 'hi', temperature => 'hot').error.message")
                        .first()
                        .getString(0))
                .startsWith("parameters.temperature: expected a number >= 0, got \"hot\"");
        assertThat(spark.sql("SELECT llm_classify('fake', 'hi', array('a', 'b')) AS r")
                        .selectExpr("r.value", "r.error.code")
                        .first())
                .isEqualTo(RowFactory.create(null, "FORM_VIOLATED"));
    }

    @Test
    void dataFrames_takeArgumentsByPositionAndByName() {
        Dataset<Row> answers = spark.table("t")
                .select(
                        call_function("llm_generate", lit("fake"), col("prompt"), lit("{\"max_tokens\": 5}"))
                                .getField("value"),
                        expr("llm_generate(model => 'fake', prompt => prompt, seed => id, system => 'I am').value"),
                        expr("llm_score('fake', prompt, ' and on').value"),
                        expr("llm_summarize('fake', prompt, template => 'Say: {text}').value"));

        assertThat(answers.collectAsList())
                .hasSize(ROWS)
                .allSatisfy(row -> assertThat(row)
                        .isEqualTo(RowFactory.create("prompt numbe", "I amprompt n", -3.5, "Say: prompt ")));
        assertThat(answers.schema().fieldNames()[2]).isEqualTo("llm_score(prompt).value");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        llm_generate(prompt, prompt) | llm_generate: model: expected a constant, the same for all rows, got
        llm_generate('fake') | llm_generate: expected [model, prompt, parameters], got no prompt
        llm_generate('fake', id) | llm_generate: prompt: expected STRING, got INT
        llm_generate('fake', prompt, hotness => 1) | llm_generate: expected arguments of [format, max_tokens,
        llm_generate('fake', prompt, '{}', seed => 1) | llm_generate: expected either parameters or
        llm_generate('fake', prompt, model => 'x') | llm_generate: expected model once, got it twice
        llm_generate('fake', prompt, template => '{id}') | llm_generate: template: expected {text}, got {id}
        llm_generate('fake', prompt, format => 'x') | llm_generate: format: expected chat or raw, got x
        llm_classify('fake', prompt, 'a') | llm_classify: labels: expected ARRAY<STRING>, got STRING
        llm_extract('fake', prompt, 'a INT') | llm_extract: schema: expected a JSON Schema, which is
        llm_score('fake', prompt, 'x', '{}') | llm_score: expected at most [model, prompt, continuation] by position
        concat(llm_generate('fake', prompt).value, llm_generate('other', kind).value) | got [fake, other]
        transform(split(prompt, ' '), w -> llm_generate('fake', w).value) | cannot be asked of elements in a lambda
        """)
    void wrongCalls_areRefusedBeforeAnythingRuns(String call, String message) {
        assertThatThrownBy(() -> spark.sql("SELECT " + call + " FROM t"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void brokenModels_failTheQueryWithTheirReason() {
        assertThatThrownBy(() -> spark.sql("SELECT llm_generate('broken', prompt) FROM t")
                        .collectAsList())
                .hasStackTraceContaining("model broken: expected a model, got a test");
        assertThatThrownBy(() -> {
                    spark.conf().set("spark.millrace.sampling.maxTokens", "many");
                    try {
                        spark.sql("SELECT llm_generate('fake', prompt) FROM t").collectAsList();
                    } finally {
                        spark.conf().unset("spark.millrace.sampling.maxTokens");
                    }
                })
                .hasMessageContaining("sampling.max-tokens: expected a whole number >= 1, got many");
    }

    @Test
    void functions_answerWithTheBundledModel() {
        String text = "This package contains a small library that reads and writes files of the FOO format.";
        String query = """
                SELECT llm_summarize('MODEL', 'TEXT', max_tokens => 12) AS summary,
                    llm_classify('MODEL', 'a game with cards', array('library', 'game')).value AS label,
                    llm_extract('MODEL', 'a game', '{"type": "object", "properties": {"kind": {"enum": ["a", "b"]}},
                        "required": ["kind"], "additionalProperties": false}') AS extracted,
                    llm_score('MODEL', 'A library for', ' reading files') AS score,
                    llm_generate('MODEL', 'A library for', format => 'raw', temperature => 0.9, seed => 3,
                        max_tokens => 6) AS drawn,
                    llm_generate('MODEL', 'A library for', '{"temperature": 0.9, "seed": 3, "max_tokens": 6}',
                        format => 'raw') AS again
                """;
        spark.conf().set(KIND, "local");
        try {
            Row row = spark.sql(query.replace("MODEL", BUNDLED).replace("TEXT", text))
                    .withColumn("kind", expr("from_json(extracted.value, 'kind STRING').kind"))
                    .first();

            assertThat(row.<Row>getAs("summary")).isEqualTo(summary(text));
            assertThat(row.<String>getAs("label")).isIn("library", "game");
            assertThat(row.<String>getAs("kind")).isIn("a", "b");
            assertThat(row.<Row>getAs("score").getDouble(0)).isNegative().isFinite();
            assertThat(row.<Row>getAs("drawn").getString(0)).isNotBlank();
            assertThat(row.<Row>getAs("drawn").getString(0))
                    .isEqualTo(row.<Row>getAs("again").getString(0));
        } finally {
            spark.conf().set(KIND, "fake");
        }
    }

    /// What the engine says without Spark.
    private Row summary(String text) {
        try (ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(recipe(BUNDLED))) {
            PromptEngine engine = lease.engine();
            PromptRequest request =
                    new PromptRequest("alone", engine.chat(null, text, Thinking.CHAT), SamplingParams.greedy(12));
            GenerationResult.Completed alone =
                    (GenerationResult.Completed) engine.submit(request).join();
            return RowFactory.create(
                    alone.text(),
                    alone.finishReason().wireName(),
                    RowFactory.create(
                            alone.usage().promptTokens(),
                            alone.usage().cachedTokens(),
                            alone.usage().completionTokens()),
                    null);
        }
    }
}
