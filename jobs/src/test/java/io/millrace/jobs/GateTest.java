package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.RetryPlan;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GateTest {

    @TempDir
    private Path dir = Path.of("");

    private static Gate.Verdict verdict(String json) throws JsonProcessingException {
        return Gate.Verdict.of(new ObjectMapper().readTree(json));
    }

    @Test
    void verdict_fail_namesRulesAndRowsAndExitsThree() throws JsonProcessingException {
        Gate.Verdict verdict = verdict("""
                {"verdict": "fail", "message": "1 of 2 rules failed", "rules": [
                  {"name": "key", "status": "pass"},
                  {"name": "ok_share", "level": "fail-run", "status": "fail", "message": "0.5 < 0.99", "examples": [
                    {"input_ref": {"file": "file:/in", "row_group": 0, "row": 7}, "status": "error", "excerpt": "null"}
                  ]}]}""");

        assertThat(verdict.exitCode()).isEqualTo(ExitCode.GATE_FAILED);
        assertThat(verdict.summary()).isEqualTo("1 of 2 rules failed");
        assertThat(verdict.details())
                .containsExactly("  fail-run  ok_share: 0.5 < 0.99", "      file:/in row group 0 row 7  error  null");
    }

    @Test
    void askForLanguages_whereARulesQuestionNamesTheColumn() throws IOException {
        assertThat(Gate.askForLanguages(Millrace.home().starterRules())).isTrue();
        Path rules = Files.writeString(dir.resolve("rules.yaml"), """
                version: 1
                rules:
                  - {name: language, level: warn, description: no language here, complete: request_id}
                """);
        assertThat(Gate.askForLanguages(rules)).isFalse();
        Files.writeString(rules, "  - {name: b, level: warn, complete: source_language}\n", StandardOpenOption.APPEND);
        assertThat(Gate.askForLanguages(rules)).isTrue();
        assertThat(Gate.askForLanguages(dir.resolve("absent.yaml"))).isTrue();
    }

    @Test
    void verdict_passOrError_haveTheirExitCodes() throws JsonProcessingException {
        assertThat(verdict("{\"verdict\": \"pass\"}").exitCode()).isEqualTo(ExitCode.OK);
        assertThat(verdict("{\"verdict\": \"error\", \"message\": \"m\"}").exitCode())
                .isEqualTo(ExitCode.ERROR);
        assertThat(verdict("{}").exitCode()).isEqualTo(ExitCode.ERROR);
    }

    @Test
    void verdict_rulesThatSetRowsAside_giveTheirRetriesInOrder() throws JsonProcessingException {
        Gate.Verdict verdict = verdict("""
                {"verdict": "pass", "rules": [
                  {"name": "b", "level": "quarantine", "status": "fail", "retry": [{"temperature": 0.7}, {"beams": 1}]},
                  {"name": "passes", "level": "quarantine", "status": "pass", "retry": [{"temperature": 0.1}]},
                  {"name": "a", "level": "quarantine", "status": "fail", "retry": []}]}""");

        assertThat(verdict.retries())
                .containsExactly(
                        new RetryPlan.Rule(
                                "b",
                                List.of(
                                        new TreeMap<>(Map.of("temperature", 0.7)),
                                        new TreeMap<>(Map.of("beams", 1.0)))),
                        new RetryPlan.Rule("a", List.of()));
    }

    @Test
    void start_auditorNotBuilt_saysWhereAndWhatToDo() {
        assertThatThrownBy(() -> Auditor.start(dir.resolve("target"), "local"))
                .isInstanceOf(JobException.class)
                .hasMessageContaining(dir.resolve("target").toString())
                .hasMessageContaining("--no-gate");
    }

    @Test
    void judge_auditorDies_showsItsLastLines() throws IOException {
        try (OutputStream file = Files.newOutputStream(dir.resolve("millrace-quality-1.jar"));
                JarOutputStream jar = new JarOutputStream(file)) {
            jar.finish();
        }
        Files.writeString(dir.resolve("classpath.txt"), "nowhere.jar\n");

        try (Auditor auditor = Auditor.start(dir, "local")) {
            assertThatThrownBy(() -> auditor.judge("{}"))
                    .isInstanceOf(JobException.class)
                    .hasMessageContaining("exit code 1")
                    .hasMessageContaining("io.millrace.quality.Auditor");
        }
    }
}
