package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Decontamination against real benchmarks of the formats that they come in.
class BenchmarksIT {
    @TempDir
    private Path dir = Path.of("");

    @Test
    void texts_thatHoldPartsOfABenchmark_areFound() throws IOException {
        Path gsm8k = shared("gsm8k/test.jsonl");
        Path humaneval = shared("humaneval/HumanEval.jsonl.gz");
        Path mmlu = shared("mmlu/test");
        Path bbh = shared("bbh/bbh/causal_judgement.json");
        ObjectMapper json = new ObjectMapper();
        String question =
                json.readTree(Files.readAllLines(gsm8k).get(7)).path("question").asText();
        String judged = json.readTree(bbh.toFile()).at("/examples/0/input").asText();
        List<String> words = List.of(question.split(" "));
        String part = String.join(" ", words.subList(2, 17)).toUpperCase(java.util.Locale.ROOT);
        String less = String.join(" ", words.subList(2, 13));
        StringBuilder seeds = new StringBuilder();
        for (String text :
                List.of("A task: " + part + "?", "Another: " + less, "Nothing of the kind.", "So: " + judged)) {
            seeds.append(json.createObjectNode().put("text", text)).append('\n');
        }
        Path pipeline = Files.writeString(dir.resolve("pipeline.yaml"), """
                name: benchmarks
                steps:
                  - seeds: {input: SEEDS, text-column: text}
                  - decontaminate:
                      benchmarks:
                        - {name: gsm8k, path: GSM8K, columns: [question, answer]}
                        - {name: humaneval, path: HUMANEVAL, columns: [prompt, canonical_solution]}
                        - {name: mmlu, path: MMLU, format: csv, columns: [question]}
                        - {name: bbh, path: BBH, multi-line: true, columns: [explode(examples.input)]}
                """.replace(
                        "SEEDS",
                        Files.writeString(dir.resolve("seeds.jsonl"), seeds).toString())
                .replace("GSM8K", gsm8k.toString())
                .replace("HUMANEVAL", humaneval.toString())
                .replace("MMLU", mmlu.toString())
                .replace("BBH", bbh.toString()));
        GenerateRun job = new GenerateRun(dir.resolve("out"));

        assertThat(job.run(pipeline, "-c", "engine.kind=fake")).as(job.err()).isEqualTo(ExitCode.OK);

        // twelve words in a row are one too few
        assertThat(job.counts("decontaminate"))
                .isEqualTo(Map.of("in", 4L, "made", 4L, "kept", 2L, "contaminated gsm8k", 1L, "contaminated bbh", 1L));
        assertThat(job.funnel().get(1).path("notes").toString())
                .contains("gsm8k: 2638 texts", "humaneval: 328 texts", "mmlu: 14042 texts");
    }

    private static Path shared(String name) {
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("LICENSE"))) {
            root = root.getParent();
        }
        Path file = root.resolveSibling("shared").resolve("datasets").resolve(name);
        assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent");
        return file;
    }
}
