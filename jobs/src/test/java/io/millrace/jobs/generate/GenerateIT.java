package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.jobs.ExitCode;
import io.millrace.udf.SayingEngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every kind of step, with an engine that says what a script says.
class GenerateIT {
    private static final String SEEDS = """
            {"id": "s0", "text": "Name the three primary colours of light and say why they are called so.", "n": "red"}
            {"id": "s1", "text": "Write a short letter of thanks to a neighbour who watered the plants.", "n": null}
            {"id": "s2", "text": "   ", "n": "blank"}
            {"id": "s3", "te
            {"id": "s4", "text": "Explain to a child how a rainbow comes about after the rain has gone.", "n": "arc"}
            """;

    private static final String SCRIPT = """
            [
              {"when": "Go on with the list", "say": [" Compare two ways of brewing coffee at home by cost and by taste.\\n10. Write a short letter of thanks to a neighbour who watered the plants!\\n11. Draw a map of the river.\\n12. Too short\\n13. Compare two ways of brewing coffee at home by cost and taste."]},
              {"when": "Rewrite the instruction.*rainbow", "say": ["Explain to a child how a rainbow comes about after the rain has gone, in at most three sentences."]},
              {"when": "Rewrite the instruction.*Instruction:\\n([^\\n]*)", "say": ["$1"]},
              {"when": "Say how good the answer is.*three sentences", "say": ["It is fine.\\nScore: 9"]},
              {"when": "Say how good the answer is.*colours", "say": ["Score: 3 of ten at first sight.\\nScore: 8"]},
              {"when": "Say how good the answer is.*coffee", "say": ["Score: 7"]},
              {"when": "Say how good the answer is", "say": ["No number comes to mind."]},
              {"when": "three sentences", "say": ["{\\"answer\\": \\"Light breaks in drops.\\"}", "{\\"answer\\": 7}"]},
              {"when": "rainbow", "say": ["{\\"answer\\": \\"Light breaks in drops.\\"}", "no JSON"]},
              {"when": "colours", "say": ["{\\"answer\\": \\"red, green and blue; ask me at ann@example.org\\"}"]},
              {"when": "coffee", "say": ["{\\"answer\\": \\"one costs less\\"}"]},
              {"when": "letter", "say": ["{\\"answer\\": \\"this text runs on and"], "finish": "length"}
            ]
            """;

    private static final String PIPELINE = """
            name: everything
            seed: 7
            settings: {engine.kind: saying, engine.model-dir: SCRIPT, sampling: {temperature: 1, max-tokens: 200}}
            steps:
              - seeds: {input: SEEDS, text-column: text, id-column: id}
              - self-instruct: {rounds: 1, requests: 2, own-examples: 0, seed-examples: 3}
              - evolve: {generations: 1, ways: [constrain]}
              - answer: {samples: 4}
              - verify:
                  checks:
                    - {name: shape, kind: json-schema, schema: {type: object, properties: {answer: {type: string}}, required: [answer]}}
                    - {name: agreed, kind: majority, min-share: 0.5}
              - reject: {name: well-formed, require: [shape]}
              - judge: {min: 7}
              - reject: {name: judged, require: [judge], keep: best, by: judge}
              - deduplicate: {minhash: {words: 3, threshold: 0.6, bands: 30, rows: 3}}
              - decontaminate: {words: 4, benchmarks: [{name: exam, path: EXAM, columns: [question]}]}
              - annotate: {}
              - filter: {rules: {no-person: THRESHOLD}}
            dataset: {splits: {train: 0.5, test: 0.5}, license: apache-2.0, language: [en]}
            """;

    @TempDir
    private static Path dir = Path.of("");

    private static GenerateRun job = new GenerateRun(dir);

    @BeforeAll
    static void setUp() throws IOException {
        job = new GenerateRun(dir.resolve("out"));
        Files.writeString(dir.resolve("seeds.jsonl"), SEEDS);
        Files.writeString(dir.resolve("script.json"), SCRIPT);
        Files.writeString(
                dir.resolve("exam.jsonl"),
                "{\"question\": \"How does a Rainbow comes   about, after all?\"}\n{\"question\": \"Why?\"}\n");
        assertThat(job.run(pipeline("pii.email = 0"))).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(job.out()).contains("MALFORMED_RECORD 1, TEXT_BLANK 1");
    }

    private static Path pipeline(String threshold) throws IOException {
        return Files.writeString(
                dir.resolve("pipeline.yaml"),
                PIPELINE.replace("SCRIPT", dir.resolve("script.json").toString())
                        .replace("SEEDS", dir.resolve("seeds.jsonl").toString())
                        .replace("EXAM", dir.resolve("exam.jsonl").toString())
                        .replace("THRESHOLD", threshold));
    }

    @Test
    void pipeline_everyStep_accountsForEveryRow() throws IOException {
        assertThat(job.counts("seeds"))
                .isEqualTo(Map.of("in", 0L, "made", 5L, "kept", 3L, "MALFORMED_RECORD", 1L, "TEXT_BLANK", 1L));
        // each of two answers brings five items; of the twins both in one answer and over both the first stays
        assertThat(job.counts("self-instruct"))
                .isEqualTo(
                        Map.of("in", 3L, "made", 13L, "kept", 4L, "not-new", 5L, "beyond-text", 2L, "too-short", 2L));
        // three of four say the same again
        assertThat(job.counts("evolve")).isEqualTo(Map.of("in", 4L, "made", 8L, "kept", 5L, "unchanged", 3L));
        assertThat(job.counts("answer")).containsEntry("made", 20L).containsEntry("truncated", 4L);
        assertThat(job.counts("verify")).containsEntry("in", 16L).containsEntry("kept", 16L);
        assertThat(job.counts("judge"))
                .containsEntry("kept", job.counts("well-formed").get("kept"));
        assertThat(job.counts("decontaminate")).containsEntry("contaminated exam", 1L);
        assertThat(job.counts("filter")).containsEntry("no-person", 1L);
        long before = 0;
        for (JsonNode step : job.funnel()) {
            Map<String, Long> counts =
                    new TreeMap<>(job.counts(step.path("name").asText()));
            assertThat(counts.remove("in")).as(step.path("name").asText()).isEqualTo(before);
            long made = counts.remove("made");
            before = counts.get("kept");
            assertThat(counts.values().stream().mapToLong(Long::longValue).sum())
                    .isEqualTo(made);
        }
        assertThat(job.data()).hasSize((int) before).isNotEmpty();
    }

    @Test
    void steps_sayWhyAndWhence() throws IOException {
        assertThat(job.rows("01-seeds"))
                .extracting(row -> row.<Row>getAs("source").<String>getAs("custom_id") + " " + row.getAs("reason"))
                .containsExactly("s0 null", "s1 null", "s2 TEXT_BLANK", "s3 MALFORMED_RECORD", "s4 null");
        Row evolved = job.rows("03-evolve").stream()
                .filter(row -> row.<String>getAs("prompt").endsWith("three sentences."))
                .findFirst()
                .orElseThrow();
        assertThat(evolved.<String>getAs("parent_id")).isEqualTo(evolved.getAs("seed_id"));
        List<Row> answers = job.rows("04-answer").stream()
                .filter(row -> row.getAs("parent_id").equals(evolved.getAs("row_id")))
                .toList();
        assertThat(answers).hasSize(4).allSatisfy(answer -> {
            List<Row> requests = answer.getList(answer.fieldIndex("provenance"));
            assertThat(requests).extracting(request -> request.getString(0)).containsExactly("evolve", "answer");
            assertThat(requests.get(1).<String>getAs("request_id")).matches("[0-9a-f]{64}");
            assertThat(requests.get(1).<String>getAs("model")).isEqualTo("saying");
        });
        assertThat(answers).extracting(row -> row.getAs("row_id")).doesNotHaveDuplicates();
        for (Row row : job.rows("05-verify")) {
            Row shape = row.<String, Row>getJavaMap(row.fieldIndex("verdicts")).get("shape");
            boolean isShaped = row.<String>getAs("answer").startsWith("{\"answer\": \"");
            assertThat(shape.<Boolean>getAs("passed")).isEqualTo(isShaped);
        }
        for (Row row : job.rows("07-judge")) {
            Row verdict =
                    row.<String, Row>getJavaMap(row.fieldIndex("verdicts")).get("judge");
            String prompt = row.getAs("prompt");
            Double expected = Map.of("three sentences", 9.0, "colours", 8.0, "coffee", 7.0).entrySet().stream()
                    .filter(score -> prompt.contains(score.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse(null);
            assertThat(verdict.<Double>getAs("score")).as(prompt).isEqualTo(expected);
            assertThat(verdict.<Boolean>getAs("passed")).isEqualTo(expected != null);
        }
        Row contaminated = job.rows("10-decontaminate").stream()
                .filter(row -> row.getAs("reason") != null)
                .findFirst()
                .orElseThrow();
        assertThat(contaminated.<Row>getAs("contamination").<String>getAs("ngram"))
                .isEqualTo("a rainbow comes about");
    }

    @Test
    void secondRun_asksNoModelAndWritesNothing_andAThresholdChangesOnlyWhatFollows() throws IOException {
        long answered = SayingEngineProvider.answered();
        Map<String, Long> modified = job.modified();
        JsonNode funnel = job.funnel();

        assertThat(job.run(pipeline("pii.email = 0"))).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(SayingEngineProvider.answered()).isEqualTo(answered);
        assertThat(job.modified()).isEqualTo(modified);
        assertThat(job.funnel()).isEqualTo(funnel);

        assertThat(job.run(pipeline("pii.email >= 0"))).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(SayingEngineProvider.answered()).isEqualTo(answered);
        Map<String, Long> changed = job.modified();
        assertThat(changed.keySet()).isEqualTo(modified.keySet());
        assertThat(changed.entrySet().stream()
                        .filter(file -> !file.getValue().equals(modified.get(file.getKey())))
                        .map(Map.Entry::getKey))
                .allMatch(file -> file.startsWith("steps/12-filter/"))
                .isNotEmpty();
        assertThat(job.counts("filter")).doesNotContainKey("no-person");
        assertThat(job.run(pipeline("pii.email = 0"))).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(job.counts("filter")).containsEntry("no-person", 1L);
    }
}
