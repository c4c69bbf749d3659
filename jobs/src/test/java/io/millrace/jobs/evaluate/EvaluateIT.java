package io.millrace.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

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
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// `millrace evaluate` from the command line to the files of results, on `local[2]`.
class EvaluateIT {
    private static final Path RECORDED = Path.of("src/test/resources/evaluate");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir = Path.of("");

    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    private int run(String... more) {
        out = new StringWriter();
        err = new StringWriter();
        List<String> args = new ArrayList<>(
                List.of("evaluate", "--no-gate", "--no-report", "--master", "local[2,1]", "--output", output()));
        args.addAll(List.of(more));
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args.toArray(String[]::new));
    }

    private int runFake(Path task, String... more) {
        List<String> args =
                new ArrayList<>(List.of("--task", task.toString(), "--data", dir.toString(), "-c", "engine.kind=fake"));
        args.addAll(List.of("-c", "engine.model-dir=fake-model"));
        args.addAll(List.of(more));
        return run(args.toArray(String[]::new));
    }

    private String output() {
        return dir.resolve("out").toString();
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text);
    }

    private List<Path> found(String pattern) throws IOException {
        try (Stream<Path> files = Files.walk(dir.resolve("out"))) {
            return files.filter(file -> file.getFileName().toString().matches(pattern))
                    .sorted()
                    .toList();
        }
    }

    private JsonNode results() throws IOException {
        return JSON.readTree(Files.readString(found("results_.*[.]json").getLast()));
    }

    private List<JsonNode> samples(String task) throws IOException {
        List<JsonNode> samples = new ArrayList<>();
        for (String line :
                Files.readAllLines(found("samples_" + task + "_.*[.]jsonl").getLast())) {
            samples.add(JSON.readTree(line));
        }
        return samples;
    }

    private Path choices() throws IOException {
        file("choices.jsonl", """
                {"q": "is it long or short? long", "a": ["long", "short"], "gold": 0}
                {"q": "REFUSE-ME", "a": ["first", "second"], "gold": 0}
                {"q": "FLAKY but fine", "a": ["no", "yes"], "gold": 1}
                """);
        return file("choices.yaml", """
                task: choices
                dataset_path: json
                dataset_kwargs: {data_files: {test: choices.jsonl}}
                test_split: test
                output_type: multiple_choice
                doc_to_text: q
                doc_to_choice: a
                doc_to_target: gold
                metric_list: [{metric: acc}, {metric: acc_norm}, {metric: exact_match}]
                """);
    }

    @Test
    void errorRow_isWrongByEveryMetric_andCounted() throws IOException {
        assertThat(runFake(choices())).as(err.toString()).isEqualTo(ExitCode.OK);

        // byte tokens of -0.5: the shorter choice is likelier; the refused one has its first choice for an answer,
        // which
        // is the first of equals and counts as wrong all the same
        JsonNode entry = results().path("results").path("choices");
        assertThat(entry.path("acc,none").doubleValue()).isCloseTo(1.0 / 3, within(1e-12));
        assertThat(entry.path("sample_len").intValue()).isEqualTo(3);
        assertThat(entry.path("exact_match,none").doubleValue()).isCloseTo(1.0 / 3, within(1e-12));
        assertThat(results().path("n-samples").path("choices").path("effective").intValue())
                .isEqualTo(3);
        assertThat(samples("choices").get(1).path("resps").toString())
                .isEqualTo("[[[\"-inf\",\"False\"]],[[\"-inf\",\"False\"]]]");
        assertThat(out.toString()).containsPattern("choices +3 +1 +0 +none +acc +0[.]3333");
    }

    @Test
    void sameCommandAgain_computesNothing_andSaysTheSame() throws IOException {
        assertThat(runFake(choices())).isEqualTo(ExitCode.OK);
        JsonNode first = results();
        List<Path> parts = found("part-.*[.]parquet");

        assertThat(runFake(dir.resolve("choices.yaml"))).as(err.toString()).isEqualTo(ExitCode.OK);
        assertThat(found("part-.*[.]parquet")).isEqualTo(parts);
        assertThat(results().path("results")).isEqualTo(first.path("results"));
        assertThat(results().path("task_hashes")).isEqualTo(first.path("task_hashes"));

        assertThat(runFake(dir.resolve("choices.yaml"), "--limit", "2")).isEqualTo(ExitCode.ERROR);
        assertThat(err.toString()).contains("got other requests");
        assertThat(runFake(dir.resolve("choices.yaml"), "--limit", "2", "--new-run"))
                .as(err.toString())
                .isEqualTo(ExitCode.OK);
        assertThat(results().path("n-samples").path("choices").toString())
                .isEqualTo("{\"original\":3,\"effective\":2}");
    }

    @Test
    void stoppedInTheMiddle_goesOn() throws IOException {
        Path mark = dir.resolve("mark");
        StringBuilder lines = new StringBuilder();
        for (int document = 0; document < 40; document++) {
            lines.append(String.format(
                    Locale.ROOT,
                    "{\"q\": \"number %02d of many %s\", \"a\": \"number %02d of\"}%n",
                    document,
                    document == 39 ? "NEEDS-WHEN-HOT=" + mark + " ." : "",
                    document));
        }
        file("many.jsonl", lines.toString());
        Path task = file("many.yaml", """
                task: many
                dataset_path: many.jsonl
                test_split: test
                doc_to_text: q
                doc_to_target: a
                generation_kwargs: {until: ["@"], do_sample: true, temperature: 0.5, max_gen_toks: 20}
                """);

        assertThat(runFake(task, "-c", "plan.shard-rows=8", "-c", "engine.max-running=1"))
                .isEqualTo(ExitCode.ERROR);
        assertThat(found("results_.*")).isEmpty();
        List<Path> before = found("part-.*[.]parquet").stream()
                .filter(part -> part.toString().contains("completions"))
                .toList();
        assertThat(before).isNotEmpty().hasSizeLessThan(5);
        Files.writeString(mark, "");

        assertThat(runFake(task, "-c", "plan.shard-rows=8", "-c", "engine.max-running=1"))
                .as(err.toString())
                .isEqualTo(ExitCode.OK);
        assertThat(found("part-.*[.]parquet")).containsAll(before);
        assertThat(results().path("results").path("many").path("sample_len").intValue())
                .isEqualTo(40);
        assertThat(results()
                        .path("results")
                        .path("many")
                        .path("exact_match,none")
                        .doubleValue())
                .isEqualTo(1);
    }

    @Test
    void textLongerThanTheModelSees_isScoredInWindows_eachTokenOnce() throws IOException {
        file("long.jsonl", "{\"text\": \"" + "abcdefghi ".repeat(130) + "\"}\n");
        Path task = file("long.yaml", """
                task: long
                dataset_path: long.jsonl
                test_split: test
                output_type: loglikelihood_rolling
                doc_to_text: ""
                doc_to_target: text
                """);

        assertThat(runFake(task)).as(err.toString()).isEqualTo(ExitCode.OK);

        JsonNode entry = results().path("results").path("long");
        assertThat(samples("long").getFirst().path("word_perplexity").toString())
                .isEqualTo("[-650.0,131]");
        assertThat(entry.path("bits_per_byte,none").doubleValue()).isCloseTo(0.5 / Math.log(2), within(1e-9));
        assertThat(entry.path("byte_perplexity,none").doubleValue()).isCloseTo(Math.exp(0.5), within(1e-9));
    }

    @Test
    void bundledModel_choicesGenerationPerplexity_ofTheRecordedTasks() throws IOException {
        List<String> args = new ArrayList<>(List.of(
                "--data",
                RECORDED.toString(),
                "--gen-kwargs",
                "max_gen_toks=8",
                "--model",
                "../engine/models/synopsis-v4"));
        for (String task : List.of("all", "lines", "blanks")) {
            args.addAll(List.of(
                    "--task", RECORDED.resolve("tasks/" + task + ".yaml").toString()));
        }

        assertThat(run(args.toArray(String[]::new))).as(err.toString()).isEqualTo(ExitCode.OK);

        JsonNode recorded = JSON.readTree(Files.readString(RECORDED.resolve("expected/results.json")));
        for (String task : List.of("quiz", "quiz_words", "blanks", "lines")) {
            assertThat(results().path("task_hashes").path(task))
                    .as(task)
                    .isEqualTo(recorded.path("task_hashes").path(task));
        }
        for (JsonNode sample : samples("quiz")) {
            for (JsonNode response : sample.path("resps")) {
                assertThat(Double.parseDouble(response.path(0).path(0).textValue()))
                        .isNegative()
                        .isFinite();
            }
        }
        assertThat(results()
                        .path("results")
                        .path("lines")
                        .path("bits_per_byte,none")
                        .doubleValue())
                .isBetween(0.5, 12.0);
        assertThat(out.toString()).containsPattern("everything +44 ");
    }

    @Test
    void bundledTasks_areRead_andTheirPromptsMade() {
        Path data = Path.of("")
                .toAbsolutePath()
                .resolveSibling("../shared/datasets")
                .normalize();
        assumeThat(data.resolve("mmlu"))
                .as("third-party data sets in ../shared")
                .exists();
        List<Path> files = new ArrayList<>();
        for (String task : List.of(
                "mmlu/mmlu", "bbh/bbh", "gsm8k", "truthfulqa_mc1", "truthfulqa_mc2", "math", "stories_perplexity")) {
            files.add(Path.of("tasks", task + ".yaml"));
        }
        TaskSet set = TaskSet.read(files, Task.Overrides.NONE);
        int documents = 0;
        for (Task task : set.tasks()) {
            Asked asked = Asked.of(task, new Documents(data), 20, 1234, Question.Style.PLAIN, null);
            documents += asked.total();
            assertThat(asked.rows()).as(task.name()).isNotEmpty();
        }
        assertThat(set.tasks()).hasSize(57 + 27 + 5);
        assertThat(documents).isEqualTo(14_042 + 6_511 + 1_319 + 817 + 817 + 5_000 + 25);
    }
}
