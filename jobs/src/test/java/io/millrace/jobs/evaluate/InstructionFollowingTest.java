package io.millrace.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.evaluate.python.PythonJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A task of instructions as lm-evaluation-harness 0.4.13 runs it; `ifeval/record.py` wrote it down.
class InstructionFollowingTest {
    private static final Path FOLDER = Path.of("src/test/resources/evaluate/ifeval");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Task task() {
        return TaskSet.read(List.of(FOLDER.resolve("task.yaml")), Task.Overrides.NONE)
                .tasks()
                .getFirst();
    }

    private static Asked asked() {
        return Asked.of(task(), new Documents(FOLDER), 0, 1234, Question.Style.PLAIN, null);
    }

    private static Map<String, Answer> said(Asked asked) throws IOException {
        Map<String, Answer> said = new HashMap<>();
        for (String line : Files.readAllLines(FOLDER.resolve("samples.jsonl"))) {
            JsonNode sample = JSON.readTree(line);
            String text = sample.path("resps").path(0).path(0).textValue();
            said.put(asked.id(sample.path("doc_id").intValue(), 0, 0), new Answer.Texts(List.of(text)));
        }
        return said;
    }

    @Test
    void figuresAndSamples_areTheHarnesss() throws IOException {
        Asked asked = asked();

        TaskScore score = TaskScore.of(asked, asked.answers(said(asked)));

        JsonNode figures = JSON.readTree(Files.readString(FOLDER.resolve("results.json")));
        assertThat(score.entry()).hasSameSizeAs(figures);
        figures.properties().forEach(figure -> {
            Object mine = score.entry().get(figure.getKey());
            if (figure.getValue().isDouble()) {
                assertThat((Double) mine)
                        .as(figure.getKey())
                        .isCloseTo(figure.getValue().doubleValue(), within(1e-6));
            } else {
                assertThat(mine)
                        .as(figure.getKey())
                        .hasToString(figure.getValue().asText());
            }
        });
        List<String> lines = Files.readAllLines(FOLDER.resolve("samples.jsonl"));
        assertThat(score.samples()).hasSameSizeAs(lines);
        for (int index = 0; index < lines.size(); index++) {
            JsonNode mine = JSON.readTree(PythonJson.compact(score.samples().get(index)));
            JSON.readTree(lines.get(index))
                    .properties()
                    .forEach(field -> assertThat(mine.path(field.getKey()))
                            .as(field.getKey())
                            .isEqualTo(field.getValue()));
        }
    }

    @Test
    void failedAnswers_followNothing_andStayCounted() throws IOException {
        Asked asked = asked();
        Map<String, Answer> said = said(asked);
        said.replaceAll((_, _) -> new Answer.Failed("lost"));

        TaskScore score = TaskScore.of(asked, asked.answers(said));

        assertThat(score.documents()).isEqualTo(6);
        assertThat(score.failed()).isEqualTo(6);
        for (String metric : List.of(
                Metric.PROMPT_STRICT, Metric.INSTRUCTION_STRICT, Metric.PROMPT_LOOSE, Metric.INSTRUCTION_LOOSE)) {
            assertThat(score.metrics().get(metric + ",none")).isEqualTo(0.0);
        }
        assertThat(score.samples().getFirst().get(Metric.INSTRUCTION_LOOSE)).isEqualTo(List.of(false, false));
    }

    @Test
    void processResults_ofAnotherType_isRefused() {
        Map<String, Object> values =
                Map.of("task", "t", "output_type", "multiple_choice", "process_results", Task.INSTRUCTION_FOLLOWING);

        assertThatThrownBy(() -> Task.of("t", new HashMap<>(values), Task.Overrides.NONE))
                .hasMessageContaining("process_results: expected true_mass with multiple_choice");
    }
}
