package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Millrace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Plans of whole commands, with the fake engine in place of a model: a token is a byte, a turn has two more,
/// an answer is twelve bytes.
class PlanIT {
    @TempDir
    private Path dir = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... arguments) {
        List<String> all = new ArrayList<>(Arrays.asList(arguments));
        if (!all.getFirst().equals("plan") || all.size() > 2) {
            all.addAll(List.of("--no-gate", "--master", "local[2,2]"));
            all.addAll(List.of("-c", "engine.kind=fake", "-c", "engine.model-dir=fake-model"));
        }
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(all.toArray(String[]::new));
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text).toString();
    }

    private static JsonNode json(Path file) throws IOException {
        return new ObjectMapper().readTree(file.toFile());
    }

    private List<String> parts() throws IOException {
        try (Stream<Path> files = Files.walk(dir)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("part-") && name.endsWith(".parquet"))
                    .toList();
        }
    }

    /// What the plan says of the rows is what the run finds.
    @Test
    void poisonedRows_planThenRun() throws IOException {
        String good = IntStream.range(1, 10)
                .mapToObj(row -> "{\"id\": \"" + row + "\", \"text\": \"Text number " + row + " to summarise\"}\n")
                .collect(Collectors.joining());
        String[] job = {
            "summarize",
            "--input",
            file("in.jsonl", """
                {"id": "0", "text": "Text number 0 to summarise"}
                {"id": "b", "text": null}
                {"id": "c", "text": "   "}
                {"id": "e", "text": "%s"}
                {"id": "f", "tex
                """.replace("%s", "long ".repeat(300)) + good),
            "--text-column",
            "text",
            "--max-tokens",
            "20",
            "-c",
            "prompt.overlong=error",
            "--output",
            dir.resolve("out").toString()
        };
        List<String> plan = new ArrayList<>(List.of("plan", "--device-hour", "3.5"));
        plan.addAll(List.of(job));
        assertThat(execute(plan.toArray(String[]::new))).as(err.toString()).isEqualTo(ExitCode.OK);

        JsonNode forecast = json(dir.resolve("out/_millrace/forecast.json"));
        assertThat(forecast.path("rows").asInt()).isEqualTo(14);
        assertThat(forecast.path("answers").asInt()).isEqualTo(10);
        assertThat(forecast.path("prompt_tokens").asInt()).isEqualTo(280);
        assertThat(forecast.path("completion_tokens").asInt()).isEqualTo(120);
        assertThat(forecast.at("/answer_length/source").asText()).isEqualTo("sample");
        assertThat(forecast.at("/input/overlong/rows").asInt()).isEqualTo(1);
        assertThat(forecast.at("/input/invalid").findValuesAsText("code"))
                .containsExactly("MALFORMED_RECORD", "PROMPT_TOO_LONG", "TEXT_BLANK", "TEXT_NULL");
        assertThat(forecast.path("prompts").get(0).asText()).isEqualTo("<user>Text number 0 to summarise</user>");
        assertThat(forecast.path("prompts").get(1).asText()).startsWith("expected a text, got null");
        assertThat(forecast.path("seconds").asDouble()).isPositive();
        assertThat(forecast.at("/cost/total").asDouble())
                .isEqualTo(3.5 * forecast.path("device_hours").asDouble());
        assertThat(forecast.at("/public_apis/0/peak").asDouble())
                .isEqualTo(2 * forecast.at("/public_apis/0/off_peak").asDouble());
        assertThat(out.toString())
                .contains("TEXT_BLANK", "row 1, 28 tokens:", "mean 12.0 tokens", "answers of a sample");
        assertThat(parts()).isEmpty();

        assertThat(execute(job)).as(err.toString()).isEqualTo(ExitCode.OK);
        JsonNode manifest = json(dir.resolve("out/_millrace/run.json"));
        assertThat(json(dir.resolve("out/_millrace/forecast.json"))).isEqualTo(forecast);
        assertThat(Deviation.isOfSameSettings(forecast, manifest)).isTrue();
        assertThat(Deviation.of(forecast, manifest, null))
                .contains(
                        new Deviation("rows", 14, 14),
                        new Deviation("prompt_tokens", 280, 280),
                        new Deviation("completion_tokens", 120, 120))
                .extracting(Deviation::measure)
                .contains("seconds");
    }

    @Test
    void manyRows_areSampled() throws IOException {
        StringBuilder lines = new StringBuilder();
        long tokens = 0;
        for (int row = 0; row < 3000; row++) {
            String text = "one header for all of them " + "word ".repeat(1 + row % 40);
            tokens += text.length() + 2;
            lines.append(text).append('\n');
        }
        Path profile = Path.of(file("profile.yaml", """
                name: a card
                prompt-tokens-per-second: 1000
                completion-tokens-per-second: 100
                """));
        assertThat(execute(
                        "plan",
                        "--sample-rows",
                        "500",
                        "--profile",
                        profile.toString(),
                        "--executors",
                        "4",
                        "--json",
                        dir.resolve("f.json").toString(),
                        "--input",
                        file("in.txt", lines.toString()),
                        "--max-tokens",
                        "10"))
                .as(err.toString())
                .isEqualTo(ExitCode.OK);

        JsonNode forecast = json(dir.resolve("f.json"));
        JsonNode lengths = forecast.path("prompt_lengths");
        assertThat(lengths.path("exact").asBoolean()).isFalse();
        assertThat(lengths.path("looked_at").asInt()).isBetween(400, 600);
        // twice the interval of 95 %: the draw is fixed by its seed
        assertThat(Math.abs(lengths.path("mean").asDouble() - tokens / 3000.0))
                .isLessThan(2 * lengths.path("mean_error_95").asDouble());
        assertThat(forecast.path("shared_share").asDouble()).isGreaterThan(0.5);
        assertThat(forecast.path("completion_tokens").asInt()).isEqualTo(30_000);
        assertThat(forecast.at("/answer_length/source").asText()).isEqualTo("max-tokens");
        long computed = forecast.path("prompt_tokens").asLong()
                - forecast.path("cached_tokens").asLong();
        assertThat(forecast.path("seconds").asDouble()).isEqualTo((computed / 1000.0 + 300) / 4);
    }

    @Test
    void evaluate_stopsBeforeItsFirstAnswer() throws IOException {
        file("choices.jsonl", """
                {"q": "is it long or short? long", "a": ["long", "short"], "gold": 0}
                {"q": "and this one?", "a": ["first", "second"], "gold": 0}
                """);
        String task = file("choices.yaml", """
                task: choices
                dataset_path: json
                dataset_kwargs: {data_files: {test: choices.jsonl}}
                test_split: test
                output_type: multiple_choice
                doc_to_text: q
                doc_to_choice: a
                doc_to_target: gold
                """);
        assertThat(execute(
                        "plan",
                        "--calibrate",
                        "0",
                        "evaluate",
                        "--task",
                        task,
                        "--data",
                        dir.toString(),
                        "--output",
                        dir.resolve("out").toString()))
                .as(err.toString())
                .isEqualTo(ExitCode.OK);

        JsonNode forecast = json(dir.resolve("out/completions/_millrace/forecast.json"));
        assertThat(forecast.path("rows").asInt()).isEqualTo(2);
        // a space stands before each choice
        assertThat(forecast.path("completion_tokens").asInt()).isEqualTo(5 + 6 + 6 + 7);
        assertThat(forecast.path("seconds").isNull()).isTrue();
        assertThat(out.toString()).contains("not known: nothing was measured");
        assertThat(Files.exists(dir.resolve("out/completions/_millrace/run.json")))
                .isFalse();
    }

    @Test
    void whatIsNoRunOfAModel_isRefused() {
        assertThat(execute("plan", "verify")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("expected one of").contains("got verify");
        assertThat(execute("plan", "--new-run")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("changes nothing, got --new-run");
    }
}
