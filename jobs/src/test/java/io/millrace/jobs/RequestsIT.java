package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.openai.core.ObjectMappers;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.completions.Completion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Requests of OpenAI's batch format through the bundled model: each asks for something else, some for
/// what cannot be done; then into the formats of other tools.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RequestsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path BUNDLED = Path.of("../engine/models/synopsis-v4");

    private static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"library\","
            + "\"game\"]},\"stars\":{\"type\":\"integer\"}},\"required\":[\"kind\"],\"additionalProperties\":false}";
    private static final String FORMAT =
            "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\"," + "\"schema\":" + SCHEMA
                    + "}}";
    private static final String TOOLS =
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"bash\",\"parameters\":{\"type\":\"object\"}}}]";

    @TempDir
    private static Path dir = Path.of("");

    private Path model = dir;
    private Path input = dir;
    private Path output = dir;
    private final Map<String, List<Row>> rows = new HashMap<>();

    private static String chat(String id, String more) {
        return "{\"custom_id\":\"" + id
                + "\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"model\":\"m\","
                + "\"messages\":[{\"role\":\"user\",\"content\":\"This package contains a small library.\"}]"
                + more + "}}";
    }

    private static String text(String id, String more) {
        return "{\"custom_id\":\"" + id + "\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{"
                + "\"prompt\":\"A library for the\"" + more + "}}";
    }

    /// The bundled model with room for the instructions that go with tools.
    @BeforeAll
    void answer() throws IOException {
        model = Files.createDirectory(dir.resolve("model"));
        for (String file : List.of("model.safetensors", "tokenizer.json", "generation_config.json")) {
            Files.createSymbolicLink(model.resolve(file), BUNDLED.resolve(file).toAbsolutePath());
        }
        ObjectNode config =
                (ObjectNode) JSON.readTree(BUNDLED.resolve("config.json").toFile());
        config.put("max_position_embeddings", 2048);
        Files.writeString(model.resolve("config.json"), config.toString());
        input = Files.writeString(
                dir.resolve("requests.jsonl"),
                String.join(
                        "\n",
                        chat("plain", ",\"logprobs\":true,\"top_logprobs\":2,\"max_tokens\":8"),
                        text("text", ",\"n\":2,\"max_tokens\":6,\"temperature\":1.5,\"seed\":3,\"logprobs\":1"),
                        chat("json", "," + FORMAT + ",\"temperature\":1.2,\"seed\":5,\"max_tokens\":200"),
                        chat("cut", "," + FORMAT + ",\"max_tokens\":3"),
                        chat("thinks", "," + FORMAT + ",\"reasoning_effort\":\"high\",\"max_tokens\":12"),
                        chat("calls", "," + TOOLS + ",\"tool_choice\":\"required\",\"max_tokens\":8"),
                        chat("hot", ",\"temperature\":\"hot\""),
                        chat("many", ",\"n\":3"),
                        chat(
                                "format",
                                ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":"
                                        + "{\"type\":\"string\",\"format\":\"date\"}}}"),
                        "{\"custom_id\":\"url\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{}}",
                        "{\"custom_id\":",
                        ""));
        output = dir.resolve("out");
        assertThat(run("batch", "--output", output.toString())).isEqualTo(ExitCode.OK);
        for (Row row : FakeJob.withSpark(spark -> spark.read()
                .parquet(output.toString())
                .orderBy("input_ref", "sample_idx")
                .collectAsList())) {
            rows.computeIfAbsent(String.valueOf(row.<Object>getAs("custom_id")), _ -> new ArrayList<>())
                    .add(row);
        }
    }

    private int run(String command, String... more) {
        List<String> args = new ArrayList<>(List.of(command));
        if (command.equals("batch")) {
            args.addAll(List.of("--input", input.toString(), "--model", model.toString(), "--no-gate", "--no-report"));
            args.addAll(List.of("--master", "local[2]", "--samples", "2", "--max-tokens", "40"));
        }
        args.addAll(List.of(more));
        CommandLine commandLine = Millrace.commandLine();
        StringWriter err = new StringWriter();
        commandLine.setOut(new PrintWriter(new StringWriter()));
        commandLine.setErr(new PrintWriter(err));
        int exit = commandLine.execute(args.toArray(String[]::new));
        assertThat(err.toString()).doesNotContain("millrace:");
        return exit;
    }

    private Row row(String id) {
        return rows.get(id).getFirst();
    }

    private static String message(Row row) {
        return row.<Row>getAs("error").getAs("message");
    }

    @Test
    void rows_areOneForEachRequestAndSample() {
        assertThat(rows)
                .hasSize(11)
                .allSatisfy((id, samples) -> assertThat(samples).as(id).hasSize(2));
        assertThat(rows.get("text")).extracting(FakeJob::outcome).containsExactly("ok", "ok");
        assertThat(rows.get("plain")).extracting(FakeJob::outcome).containsExactly("ok", "skipped");
        assertThat(rows.get("many")).extracting(FakeJob::outcome).containsOnly("PARAMETERS_INVALID");
        assertThat(rows.get("null")).extracting(FakeJob::outcome).containsOnly("MALFORMED_RECORD");
        assertThat(FakeJob.outcome(row("url"))).isEqualTo("SCHEMA_MISMATCH");
        assertThat(message(row("url"))).startsWith("url: expected one of [/v1/chat/completions, /v1/completions]");
        assertThat(message(row("hot"))).startsWith("parameters.temperature: expected a number >= 0, got \"hot\"");
        assertThat(message(row("format")))
                .startsWith("schema #: expected keywords")
                .endsWith("got format");
    }

    @Test
    void answers_areOfTheFormThatWasAskedFor() throws IOException {
        assertThat(JSON.readTree(row("json").<String>getAs("output_text"))
                        .path("kind")
                        .asText())
                .isIn("library", "game");
        assertThat(row("json").<String>getAs("finish_reason")).isEqualTo("stop");
        assertThat(row("json").<String>getAs("parse_error")).isNull();
        assertThat(row("cut").<String>getAs("finish_reason")).isEqualTo("length");
        assertThat(row("cut").<String>getAs("output_text")).isNotEmpty();
        assertThat(row("cut").<String>getAs("parse_error")).startsWith("response_format: expected a JSON value");
        // a model that was not taught to reason does not end its reasoning, and may not end the answer before
        assertThat(row("thinks").<String>getAs("reasoning_text")).isNotEmpty();
        assertThat(row("thinks").<String>getAs("finish_reason")).isEqualTo("length");
        assertThat(row("calls").<String>getAs("output_text"))
                .startsWith("\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"");
        assertThat(row("calls").<String>getAs("parse_error")).contains("completion: expected");
    }

    @Test
    void verify_andAnotherBatch_findTheSameRows() throws IOException {
        assertThat(run("verify", output.toString())).isEqualTo(ExitCode.OK);
        Path other = dir.resolve("other");
        run("batch", "--output", other.toString(), "-c", "engine.max-running=1", "-c", "plan.shard-rows=2");

        assertThat(manifest(other).path("digest")).isEqualTo(manifest(output).path("digest"));
        assertThat(manifest(output).path("counts").path("skipped").asLong()).isEqualTo(7);
    }

    private static JsonNode manifest(Path run) throws IOException {
        return JSON.readTree(run.resolve("_millrace/run.json").toFile());
    }

    private List<JsonNode> exported(String format, String file) throws IOException {
        Path to = dir.resolve("export-" + format);
        assertThat(run("export", output.toString(), "--format", format, "--to", to.toString()))
                .isEqualTo(ExitCode.OK);
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(to.resolve(file))) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    @Test
    void export_openAiBatch_isReadByOpenAisLibrary() throws IOException {
        List<JsonNode> lines = exported("openai-batch", "output.jsonl");

        assertThat(lines)
                .extracting(line -> line.path("custom_id").asText())
                .containsExactly("plain", "text", "json", "cut", "thinks", "calls");
        for (JsonNode line : lines) {
            JsonNode body = line.path("response").path("body");
            assertThat(line.path("response").path("status_code").asInt()).isEqualTo(200);
            assertThat(line.path("error").isNull()).isTrue();
            if (line.path("custom_id").asText().equals("text")) {
                Completion completion = ObjectMappers.jsonMapper()
                        .readValue(body.toString(), Completion.class)
                        .validate();
                assertThat(completion.choices()).hasSize(2);
                assertThat(completion
                                .choices()
                                .getFirst()
                                .logprobs()
                                .orElseThrow()
                                .tokens()
                                .orElseThrow())
                        .hasSizeBetween(1, 6);
            } else {
                ChatCompletion completion = ObjectMappers.jsonMapper()
                        .readValue(body.toString(), ChatCompletion.class)
                        .validate();
                assertThat(completion.choices()).hasSize(1);
            }
        }
        JsonNode told = lines.getFirst().at("/response/body/choices/0/logprobs/content");
        assertThat(told.size()).isBetween(1, 8);
        assertThat(told.path(0).path("top_logprobs").size()).isEqualTo(2);
        List<JsonNode> errors = new ArrayList<>();
        for (String line : Files.readAllLines(dir.resolve("export-openai-batch/error.jsonl"))) {
            errors.add(JSON.readTree(line));
        }
        assertThat(errors)
                .hasSize(5)
                .allSatisfy(line ->
                        assertThat(line.at("/response/status_code").asInt()).isEqualTo(400));
        assertThat(errors.getFirst().at("/response/body/error/code").asText()).isEqualTo("PARAMETERS_INVALID");
    }

    @Test
    void export_others_haveTheirShapes() throws IOException {
        List<JsonNode> patches = exported("swebench", "preds.jsonl");
        assertThat(patches)
                .hasSize(10)
                .allSatisfy(line ->
                        assertThat(names(line)).containsExactly("instance_id", "model_name_or_path", "model_patch"));
        assertThat(patches.get(6).path("model_patch").asText()).isEmpty();

        List<JsonNode> solutions = exported("evalplus", "samples.jsonl");
        assertThat(solutions).allSatisfy(line -> assertThat(names(line)).containsExactly("task_id", "solution"));
        assertThat(solutions.stream()
                        .filter(line -> line.path("task_id").asText().equals("text")))
                .hasSize(2);

        List<JsonNode> conversations = exported("hf-messages", "data/train.jsonl");
        assertThat(conversations).hasSize(7);
        assertThat(conversations.getFirst().path("messages").size()).isEqualTo(2);
        assertThat(conversations.getFirst().at("/messages/0/content").asText()).startsWith("This package");
        assertThat(conversations.getFirst().at("/messages/1/role").asText()).isEqualTo("assistant");

        List<JsonNode> samples = exported("lm-eval", "samples_millrace.jsonl");
        assertThat(samples)
                .hasSize(11)
                .allSatisfy(line -> assertThat(names(line))
                        .containsExactly(
                                "doc_id",
                                "doc",
                                "target",
                                "arguments",
                                "resps",
                                "filtered_resps",
                                "filter",
                                "metrics",
                                "doc_hash",
                                "prompt_hash",
                                "target_hash"));
        assertThat(samples.get(1).at("/resps/0").size()).isEqualTo(2);
    }

    private static List<String> names(JsonNode line) {
        List<String> names = new ArrayList<>();
        line.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void messages_nestedAsTheHubHasThem_areRead() throws IOException {
        Path parquet = dir.resolve("hub");
        boolean _ = FakeJob.withSpark(spark -> {
            spark.sql(
                            "select array(named_struct('role', 'user', 'content', 'A small game.', 'name', null)) as messages,"
                                    + " named_struct('max_tokens', 4, 'stop', array('x', 'y')) as asked")
                    .write()
                    .parquet(parquet.toString());
            return true;
        });
        Path lines = Files.writeString(
                dir.resolve("hub.jsonl"),
                "{\"messages\": [{\"role\": \"user\", \"content\": \"A small game.\"}],"
                        + " \"asked\": {\"max_tokens\": 4, \"stop\": [\"x\", \"y\"]}}\n");
        List<String> answers = new ArrayList<>();
        for (Path source : List.of(parquet, lines)) {
            Path to = dir.resolve("answers-" + answers.size());
            StringWriter err = new StringWriter();
            CommandLine commandLine = Millrace.commandLine();
            commandLine.setErr(new PrintWriter(err));
            commandLine.setOut(new PrintWriter(new StringWriter()));
            int exit = commandLine.execute(
                    "batch",
                    "--input",
                    source.toString(),
                    "--output",
                    to.toString(),
                    "--model",
                    model.toString(),
                    "--no-gate",
                    "--no-report",
                    "--master",
                    "local[2]",
                    "--text-column",
                    "messages",
                    "--prompt-format",
                    "messages",
                    "--parameters-column",
                    "asked");
            assertThat(exit).as(err.toString()).isEqualTo(ExitCode.OK);
            Row row = FakeJob.withSpark(
                    spark -> spark.read().parquet(to.toString()).first());
            assertThat(FakeJob.outcome(row)).isEqualTo("ok");
            assertThat(row.<Integer>getAs("completion_tokens")).isLessThanOrEqualTo(4);
            answers.add(row.getAs("output_text"));
        }

        assertThat(answers.getFirst()).isNotEmpty().isEqualTo(answers.getLast());
    }

    @Test
    void scores_areTheEnginesAndExported() throws IOException {
        Path texts = Files.writeString(dir.resolve("choices.jsonl"), """
                {"id": "a", "text": "A library for the", "choices": [" game", " C language"], "gold": "1"}
                {"id": "b", "text": "", "choices": ["A library"], "gold": "0"}
                {"id": "c", "text": "x", "choices": "y", "gold": "0"}
                """);
        Path scored = dir.resolve("scored");
        CommandLine commandLine = Millrace.commandLine();
        StringWriter err = new StringWriter();
        commandLine.setErr(new PrintWriter(err));
        commandLine.setOut(new PrintWriter(new StringWriter()));
        int exit = commandLine.execute(
                "batch",
                "--input",
                texts.toString(),
                "--output",
                scored.toString(),
                "--model",
                model.toString(),
                "--no-gate",
                "--no-report",
                "--master",
                "local[2]",
                "--text-column",
                "text",
                "--id-column",
                "id",
                "--continuations-column",
                "choices",
                "--prompt-format",
                "raw",
                "-c",
                "input.reference-column=gold");
        assertThat(exit).as(err.toString()).isEqualTo(ExitCode.OK);
        List<Row> found = FakeJob.withSpark(spark ->
                spark.read().parquet(scored.toString()).orderBy("input_ref").collectAsList());

        assertThat(found).extracting(FakeJob::outcome).containsExactly("ok", "ok", "CONTINUATIONS_INVALID");
        List<Row> scores = found.getFirst().getList(found.getFirst().fieldIndex("scores"));
        assertThat(scores).hasSize(2).allSatisfy(score -> {
            assertThat(score.getDouble(0)).isNegative();
            assertThat(score.getInt(1)).isPositive();
        });
        assertThat(run("verify", scored.toString())).isEqualTo(ExitCode.OK);
        Path to = dir.resolve("scored-export");
        assertThat(run("export", scored.toString(), "--format", "lm-eval", "--to", to.toString()))
                .isZero();
        JsonNode sample = JSON.readTree(
                Files.readAllLines(to.resolve("samples_millrace.jsonl")).getFirst());
        assertThat(sample.at("/arguments/gen_args_1/arg_1").asText()).isEqualTo(" C language");
        assertThat(Double.parseDouble(sample.at("/resps/0/0/0").asText()))
                .isEqualTo(scores.getFirst().getDouble(0));
        assertThat(sample.at("/resps/0/0/1").asText()).isIn("True", "False");
        assertThat(sample.path("target").asText()).isEqualTo("1");
    }
}
