package io.millrace.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.evaluate.python.PythonJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Against lm-evaluation-harness 0.4.13 itself: the same task files and data, and as answers those that
/// it was given when `record.py` ran it.
class HarnessParityTest {
    private static final Path FOLDER = Path.of("src/test/resources/evaluate");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double TOLERANCE = 1e-6;

    private static final Map<String, Asked> ASKED = new HashMap<>();
    private static final Map<String, TaskScore> SCORES = new HashMap<>();
    private static JsonNode expected = JSON.missingNode();
    private static JsonNode found = JSON.missingNode();

    @BeforeAll
    static void evaluate() throws IOException {
        TaskSet set = TaskSet.read(
                List.of(task("all"), task("lines"), task("endings"), task("blanks"), task("sums_vote")),
                Task.Overrides.NONE);
        List<TaskScore> scores = new ArrayList<>();
        for (Task task : set.tasks()) {
            Asked asked = Asked.of(task, new Documents(FOLDER), 0, 1234, Question.Style.PLAIN, null);
            TaskScore score = TaskScore.of(asked, asked.answers(answers(asked)));
            ASKED.put(task.name(), asked);
            SCORES.put(task.name(), score);
            scores.add(score);
        }
        Results.Context context =
                new Results.Context("hashes", Map.of(), null, Map.of(), 1234, Question.Style.PLAIN, null, 0, 1, "test");
        found = JSON.readTree(PythonJson.pretty(Results.of(set, scores, context).file()));
        expected = JSON.readTree(Files.readString(FOLDER.resolve("expected/results.json")));
    }

    private static Path task(String name) {
        return FOLDER.resolve("tasks").resolve(name + ".yaml");
    }

    private static List<JsonNode> samples(String task) throws IOException {
        List<JsonNode> samples = new ArrayList<>();
        for (String line : Files.readAllLines(FOLDER.resolve("expected/samples_" + task + ".jsonl"))) {
            samples.add(JSON.readTree(line));
        }
        return samples;
    }

    /// What the harness's model said, by the ids that the requests have here.
    private static Map<String, Answer> answers(Asked asked) throws IOException {
        Map<String, Answer> answers = new HashMap<>();
        for (JsonNode sample : samples(asked.task().name())) {
            int document = sample.path("doc_id").intValue();
            Iterator<JsonNode> responses = sample.path("resps").iterator();
            List<Question> questions = asked.questions().get(document);
            for (int index = 0; index < questions.size(); index++) {
                if (questions.get(index).continuations() == null) {
                    int repeat = 0;
                    for (JsonNode text : responses.next()) {
                        answers.put(asked.id(document, index, repeat++), new Answer.Texts(List.of(text.textValue())));
                    }
                } else {
                    List<Answer.Score> scores = new ArrayList<>();
                    for (Object _ : questions.get(index).arguments()) {
                        scores.add(score(responses.next().path(0)));
                    }
                    answers.put(asked.id(document, index, 0), new Answer.Scores(scores));
                }
            }
        }
        return answers;
    }

    private static Answer.Score score(JsonNode response) {
        return response.isArray()
                ? new Answer.Score(
                        Double.parseDouble(response.path(0).textValue()),
                        response.path(1).textValue().equals("True"))
                : new Answer.Score(Double.parseDouble(response.textValue()), false);
    }

    /// Numbers within 1e-6, everything else the same.
    private static void assertSame(String where, JsonNode mine, JsonNode theirs) {
        if (theirs.isNumber()) {
            assertThat(mine.isNumber()).as(where).isTrue();
            assertThat(mine.doubleValue()).as(where).isCloseTo(theirs.doubleValue(), within(TOLERANCE));
        } else if (theirs.isObject()) {
            assertThat(names(mine)).as(where).isEqualTo(names(theirs));
            theirs.properties()
                    .forEach(field ->
                            assertSame(where + "." + field.getKey(), mine.path(field.getKey()), field.getValue()));
        } else if (theirs.isArray()) {
            assertThat(mine).as(where).hasSameSizeAs(theirs);
            for (int index = 0; index < theirs.size(); index++) {
                assertSame(where + "[" + index + "]", mine.path(index), theirs.path(index));
            }
        } else {
            assertThat(mine).as(where).isEqualTo(theirs);
        }
    }

    private static Set<String> names(JsonNode node) {
        Set<String> names = new TreeSet<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void samples_promptsExamplesFiltersMetricsHashes() throws IOException {
        assertThat(ASKED).hasSize(9);
        for (String task : ASKED.keySet()) {
            List<JsonNode> theirs = new ArrayList<>(samples(task));
            TaskScore score = SCORES.get(task);
            assertThat(score).isNotNull();
            assertThat(score.samples()).as(task).hasSameSizeAs(theirs);
            for (int line = 0; line < theirs.size(); line++) {
                JsonNode mine = JSON.readTree(PythonJson.compact(score.samples().get(line)));
                assertSame(task + " line " + line, mine, theirs.get(line));
            }
        }
    }

    @Test
    void results_figuresAndErrors() {
        assertSame("results", found.path("results"), expected.path("results"));
        assertSame("groups", found.path("groups"), expected.path("groups"));
    }

    @Test
    void results_whatWasAsked() {
        for (String key :
                List.of("group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes")) {
            assertSame(key, found.path(key), expected.path(key));
        }
    }

    @Test
    void results_sameKeys() {
        Set<String> optional = Set.of(
                "tokenizer_pad_token",
                "tokenizer_eos_token",
                "tokenizer_bos_token",
                "eot_token_id",
                "max_length",
                "model_num_parameters",
                "model_dtype",
                "model_revision",
                "model_sha");
        // those of a model with a tokenizer; the recorded one has none
        Set<String> mine = names(found);
        mine.removeAll(optional);
        Set<String> theirs = names(expected);
        theirs.removeAll(optional);
        assertThat(mine).isEqualTo(theirs);
        Set<String> config = names(found.path("config"));
        config.removeAll(optional);
        assertThat(config).isEqualTo(names(expected.path("config")));
        expected.path("configs")
                .properties()
                .forEach(entry -> assertThat(names(found.path("configs").path(entry.getKey())))
                        .as(entry.getKey())
                        .isEqualTo(names(entry.getValue())));
    }
}
