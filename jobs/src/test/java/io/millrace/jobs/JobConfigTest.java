package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.OverlongPolicy;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.SamplingRecipe;
import io.millrace.udf.ServedRecipe;
import io.millrace.udf.Thinking;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobConfigTest {
    private static final MillraceHome HOME = new MillraceHome(Path.of("/checkout"), Path.of("/work"));

    private static final String EVERY_KEY = """
            input: {path: [a.csv, b.csv], format: csv, text-column: t, id-column: i, reference-column: r,
                    parameters-column: p, continuations-column: s, fault-column: f,
                    whole-files: true, multi-line-csv: true, limit: 7}
            output: {dir: /out}
            engine: {kind: served, model-dir: /m, model-cache: /c, ring: reference, threads: 3, cache-budget: 512m,
                     step-tokens: 64, max-running: 8, cache-rounding: off, prefix-sharing: off,
                     speculation: off, stall-seconds: 9}
            cards: {group: 4, locks: /locks, beside: "", tolerance: 0.25}
            served: {endpoint: [], command: [serve, "{port}"], environment: [A=1], log-dir: /log, restarts: 1, start-seconds: 2,
                     request-seconds: 3, model: n, tokenizer: /t, api-key-variable: KEY, extra-body: "{}"}
            prompt: {template: "{text}!", format: raw, system: be brief, thinking: think, max-tokens: 99,
                     overlong: truncate-middle}
            sampling: {temperature: 0.5, top-p: 0.9, top-k: 40, min-p: 0.1, max-tokens: 5, stop: [x, y], seed: -3,
                       samples: 2, beams: 1, length-penalty: 0.5, logprobs: 3}
            plan: {shard-rows: 10}
            progress: {seconds: 6}
            gate: {enabled: false, rules: r.yaml, master: local, metrics-repository: m.json, dataset: d, languages: off}
            rollout: {log-dir: "", repository: /r, commit: c, actions: tools, max-steps: 1, max-tokens: 2, max-seconds: 3,
                      max-format-errors: 4, command-seconds: 5, command-memory: 6m, command-disk: 7m, command-processes: 8,
                      tools: [/t], variables: [A=1], window: 9, commands: 10, work-dir: /w}
            spark: {master: "local[3]", executor: {memory: 2g}}
            """;

    @TempDir
    private Path dir = Path.of("");

    private static Settings settings(String... keysAndValues) {
        Map<String, List<String>> values = new TreeMap<>();
        for (int at = 0; at < keysAndValues.length; at += 2) {
            values.put(keysAndValues[at], List.of(keysAndValues[at + 1]));
        }
        return new Settings("test", values);
    }

    @Test
    void resolve_nothingGiven_isTheBundledCorpusAndModel() {
        JobConfig config = JobConfig.resolve(HOME, List.of());

        assertThat(config.input())
                .isEqualTo(new JobConfig.Input(
                        List.of("/checkout/jobs/corpus/debian-synopsis-test.parquet"),
                        InputFormat.PARQUET,
                        "description",
                        "package",
                        "synopsis",
                        null,
                        null,
                        null,
                        false,
                        false,
                        0));
        assertThat(config.outputDir()).matches("/work/output/summarize-\\d{8}-\\d{6}");
        assertThat(config.engine())
                .isEqualTo(new EngineRecipe(
                        "local",
                        "/checkout/engine/models/synopsis-v4",
                        "/var/tmp/millrace-models",
                        "auto",
                        0,
                        0,
                        2048,
                        256,
                        CacheRounding.AUTO,
                        true,
                        true));
        assertThat(config.cards()).isEqualTo(new JobConfig.Cards(0, "/tmp/millrace-cards", null, 0.5));
        // the lengths that the bundled model was trained on
        assertThat(config.prompt().template()).isEqualTo(PromptRecipe.TEXT_ONLY);
        assertThat(config.prompt().maxPromptTokens()).isEqualTo(128);
        assertThat(config.sampling()).isEqualTo(new SamplingRecipe(0, 1, 0, 0, 28, List.of(), 0, 1, 4, 0.7));
        assertThat(config.shardRows()).isZero();
        assertThat(config.stallSeconds()).isEqualTo(60);
        assertThat(config.gate())
                .isEqualTo(new JobConfig.Gate(
                        true,
                        null,
                        "local[2]",
                        null,
                        "/checkout/jobs/corpus/debian-synopsis-test.parquet",
                        JobConfig.Languages.AUTO));
        assertThat(config.sparkMaster()).isEqualTo("local[*,4]");
        assertThat(config.sparkConf()).isEmpty();
    }

    @Test
    void resolve_everyKeyInAFile_isMapped() throws IOException {
        Path file = Files.writeString(dir.resolve("job.yaml"), EVERY_KEY);
        Settings settings = Settings.ofYaml(file);
        JobConfig config = JobConfig.resolve(HOME, List.of(settings));

        assertThat(settings.values().keySet())
                .containsAll(JobConfig.defaults().keySet())
                .hasSize(JobConfig.defaults().size() + 1);
        assertThat(config)
                .isEqualTo(new JobConfig(
                        new JobConfig.Input(
                                List.of("a.csv", "b.csv"),
                                InputFormat.CSV,
                                "t",
                                "i",
                                "r",
                                "p",
                                "s",
                                "f",
                                true,
                                true,
                                7),
                        "/out",
                        new EngineRecipe(
                                "served",
                                "/m",
                                "/c",
                                "reference",
                                3,
                                512L << 20,
                                64,
                                8,
                                CacheRounding.OFF,
                                false,
                                false,
                                new ServedRecipe(
                                        List.of(),
                                        List.of("serve", "{port}"),
                                        Map.of("A", "1"),
                                        "/log",
                                        1,
                                        2,
                                        3,
                                        "n",
                                        "/t",
                                        "KEY",
                                        "{}")),
                        new JobConfig.Cards(4, "/locks", null, 0.25),
                        new PromptRecipe(
                                "{text}!",
                                PromptFormat.RAW,
                                "be brief",
                                Thinking.THINK,
                                99,
                                OverlongPolicy.TRUNCATE_MIDDLE),
                        new SamplingRecipe(0.5, 0.9, 40, 0.1, 5, List.of("x", "y"), -3, 2, 1, 0.5, 3),
                        10,
                        9,
                        6,
                        new JobConfig.Gate(false, "r.yaml", "local", "m.json", "d", JobConfig.Languages.OFF),
                        "local[3]",
                        Map.of("spark.executor.memory", "2g"),
                        null));
    }

    @Test
    void resolve_cardsThatCannotBe_areRefused() {
        assertThatThrownBy(
                        () -> JobConfig.resolve(HOME, List.of(settings("cards.group", "3", "cards.beside", "local"))))
                .hasMessageContaining("cards.group: expected 0 for none, or one of [1, 2, 4, 8, 16], got 3")
                .hasMessageContaining("cards.beside: expected nothing without cards.group and a cluster's master");
    }

    @Test
    void resolve_openAiBatch_isToldByItsFirstLine() throws IOException {
        String line = "{\"custom_id\": \"a\", \"method\": \"POST\", \"url\": \"/v1/completions\", \"body\": {}}\n";
        Path batch = Files.writeString(dir.resolve("batch.jsonl"), line);
        Path other = Files.writeString(dir.resolve("other.jsonl"), "{\"custom_id\": \"a\", \"text\": \"t\"}\n");

        JobConfig config = JobConfig.resolve(HOME, List.of(settings("input.path", batch.toString())));

        assertThat(config.input().format()).isEqualTo(InputFormat.OPENAI_BATCH);
        assertThat(config.input().textColumn()).isEqualTo("body");
        assertThat(config.input().idColumn()).isEqualTo("custom_id");
        assertThat(config.prompt().format()).isEqualTo(PromptFormat.OPENAI);
        assertThatThrownBy(() -> JobConfig.resolve(HOME, List.of(settings("input.path", other.toString()))))
                .hasMessageContaining("input.text-column: expected the column that holds the text, got none");
        assertThat(JobConfig.resolve(
                                HOME, List.of(settings("input.path", other.toString(), "input.text-column", "text")))
                        .input()
                        .format())
                .isEqualTo(InputFormat.JSONL);
    }

    @Test
    void resolve_layers_laterOnesWin() {
        Settings spark = Settings.ofSparkConf(Map.of(
                "spark.millrace.sampling.maxTokens", "2", "spark.millrace.engine.ring", "vector", "spark.x", "y"));
        JobConfig config = JobConfig.resolve(
                HOME,
                List.of(
                        settings("sampling.max-tokens", "1", "engine.ring", "reference", "plan.shard-rows", "5"),
                        spark,
                        settings("sampling.max-tokens", "3")));

        assertThat(config.sampling().maxTokens()).isEqualTo(3);
        assertThat(config.engine().ring()).isEqualTo("vector");
        assertThat(config.shardRows()).isEqualTo(5);
    }

    @Test
    void resolve_manyProblems_areReportedTogether() {
        Settings wrong = settings(
                "sampling.temperature", "-1",
                "sampling.max-tokens", "many",
                "engine.cache-rounding", "sometimes",
                "prompt.template", "{text",
                "sampling.max-token", "5",
                "sampling.beams", "4",
                "sampling.samples", "2",
                "engine.cache-budget", "lots",
                "input.path", "x.jsonl");

        assertThatThrownBy(() -> JobConfig.resolve(HOME, List.of(wrong)))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        thrown -> assertThat(thrown.problems())
                                .containsExactlyInAnyOrder(
                                        "sampling.max-token: no such key (test)",
                                        "sampling.temperature: expected a number >= 0, got -1 (test)",
                                        "sampling.max-tokens: expected a whole number >= 1, got many (test)",
                                        "sampling.beams: expected 1 with a temperature, several samples or stop"
                                                + " strings, got 4 (test)",
                                        "engine.cache-rounding: expected one of [auto, on, off], got sometimes (test)",
                                        "engine.cache-budget: expected bytes such as 512m or 4g, got lots (test)",
                                        "prompt.template: { at character 0 is not closed (test)",
                                        "input.text-column: expected the column that holds the text, got none"
                                                + " (not in [defaults, test])"));
    }

    @Test
    void yaml_readBack_isTheSameConfiguration() throws IOException {
        JobConfig config =
                JobConfig.resolve(HOME, List.of(Settings.ofYaml(Files.writeString(dir.resolve("a.yaml"), EVERY_KEY))));
        Path saved = Files.writeString(dir.resolve("b.yaml"), ConfigFile.yaml(config));

        assertThat(JobConfig.resolve(HOME, List.of(Settings.ofYaml(saved)))).isEqualTo(config);
    }

    @Test
    void secrets_areNotWrittenDown() {
        String key = "spark.hadoop.fs.s3a.secret.key";
        JobConfig config = JobConfig.resolve(HOME, List.of(settings(key, "hush", "spark.app.name", "loud")));

        assertThat(config.sparkConf()).containsEntry(key, "hush");
        assertThat(ConfigFile.yaml(config)).contains("redacted", "loud").doesNotContain("hush");
        assertThat(Secrets.shown(key + "=hush")).isEqualTo(key + "=*********(redacted)");
        assertThat(Secrets.shown("sampling.max-tokens=5")).isEqualTo("sampling.max-tokens=5");
        assertThat(Secrets.shown("--text-column")).isEqualTo("--text-column");
    }

    @Test
    void ofYaml_noMapping_saysWhatAndWhere() throws IOException {
        Path list = Files.writeString(dir.resolve("list.yaml"), "- a\n- b\n");

        assertThatThrownBy(() -> Settings.ofYaml(list))
                .isInstanceOf(ConfigException.class)
                .hasMessage(list + ": expected a mapping of keys, got ARRAY");
        assertThatThrownBy(() -> Settings.ofYaml(dir.resolve("none.yaml")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none.yaml");
    }

    @Test
    void resolve_served_saysEverythingThatIsWrong() {
        Settings settings = settings(
                "engine.kind", "served",
                "served.endpoint", "https://me:secret@host/v1",
                "served.command", "vllm serve {model} --api-key=secret",
                "served.environment", "HF_TOKEN=secret",
                "served.extra-body", "[]",
                "prompt.format", "messages",
                "prompt.system", "be brief");

        assertThatThrownBy(() -> JobConfig.resolve(HOME, List.of(settings)))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.problems())
                                .noneMatch(problem -> problem.contains("secret@") || problem.contains("=secret"))
                                .satisfiesExactlyInAnyOrder(
                                        problem -> assertThat(problem).contains("served.command, got both"),
                                        problem -> assertThat(problem)
                                                .contains("without user and query, got https:…host/v1"),
                                        problem -> assertThat(problem).contains("served.command: expected no key"),
                                        problem -> assertThat(problem).contains("expected no secret", "got HF_TOKEN;"),
                                        problem -> assertThat(problem)
                                                .contains("served.extra-body: expected a JSON object"),
                                        problem -> assertThat(problem)
                                                .contains("prompt.max-tokens: only with served.tokenizer"),
                                        problem -> assertThat(problem)
                                                .contains("sampling.beams: expected 1 of a served engine"),
                                        problem ->
                                                assertThat(problem).contains("messages are the whole conversation")));
    }

    @Test
    void resolve_serverWithoutServedEngine_isWrong() {
        assertThatThrownBy(
                        () -> JobConfig.resolve(HOME, List.of(settings("served.endpoint", "http://127.0.0.1:8000/v1"))))
                .hasMessageContaining(
                        "engine.kind: expected served beside served.endpoint or served.command, got local");
    }
}
