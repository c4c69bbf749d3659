package io.millrace.jobs.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import io.millrace.udf.sandbox.Examiner.Language;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SolutionsTest {
    private static final List<CodeTask> TASKS = List.of(task("a"), task("b"));

    private static CodeTask task(String id) {
        return new CodeTask(id, Language.PYTHON, "", "", "preamble " + id + "\n", "", "tests", "");
    }

    private static List<Attempt> attempts(String... lines) throws IOException {
        List<JsonNode> records = new ArrayList<>();
        for (String line : lines) {
            records.add(new ObjectMapper().readTree(line));
        }
        return Solutions.attempts(TASKS, records, "file");
    }

    @Test
    void attempts_ofEitherForm_byTask() throws IOException {
        assertThat(attempts(
                        "{\"task_id\": \"b\", \"completion\": \"c\"}",
                        "{\"task_id\": \"a\", \"solution\": \"s\", \"completion\": \"c\"}",
                        "{\"task_id\": \"b\", \"solution\": \"s2\"}"))
                .extracting(attempt -> attempt.taskId() + attempt.sampleIdx() + " " + attempt.solution())
                .containsExactly("a0 s", "b0 preamble b\nc", "b1 s2");
    }

    @Test
    void attempts_taskWithoutASample_isRefused() {
        assertThatThrownBy(() -> attempts("{\"task_id\": \"a\", \"solution\": \"s\"}"))
                .isInstanceOf(JobException.class)
                .hasMessageContaining("got none of 1, such as b");
    }

    @Test
    void attempts_unknownTaskOrNoProgram_isRefused() {
        assertThatThrownBy(() -> attempts("{\"task_id\": \"c\", \"solution\": \"s\"}")).hasMessageContaining("got c");
        assertThatThrownBy(() -> attempts("{\"task_id\": \"a\"}")).hasMessageContaining("got neither");
    }
}
