package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.udf.agent.ActionForm;
import io.millrace.udf.agent.RolloutRecipe;
import io.millrace.udf.agent.SandboxShell;
import io.millrace.udf.sandbox.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RolloutSettingsTest {
    private static final MillraceHome HOME = new MillraceHome(Path.of("/checkout"), Path.of("/work"));

    @TempDir
    private Path dir = Path.of("");

    private JobConfig resolve(String yaml) throws IOException {
        Path file = Files.writeString(dir.resolve("job.yaml"), yaml);
        return JobConfig.resolve(HOME, List.of(Settings.ofYaml(file)));
    }

    @Test
    void resolve_everyKey_isMappedAndWrittenDown() throws IOException {
        JobConfig config = resolve("""
                input: {path: a.jsonl, text-column: t}
                prompt: {overlong: error, template: "{text} {hint}"}
                rollout: {log-dir: /l, repository: "/r/{repo}", commit: "{base}", actions: tools, max-steps: 1, max-tokens: 2,
                          max-seconds: 3, max-format-errors: 4, command-seconds: 5, command-memory: 6m,
                          command-disk: 7m, command-processes: 8, tools: [/t], variables: [A=1], window: 9,
                          commands: 10, work-dir: /w}
                """);

        assertThat(config.rollout())
                .isEqualTo(new RolloutRecipe(
                        "/r/{repo}",
                        "{base}",
                        ActionForm.TOOLS,
                        new RolloutRecipe.Limits(1, 2, 3, 5, 4),
                        9,
                        10,
                        "/w",
                        "/l",
                        new SandboxShell(
                                new Limits(Duration.ofSeconds(1), 5, 6 << 20, 8, 7 << 20, 7 << 20, 1 << 20),
                                List.of("/t"),
                                Map.of("A", "1"))));
        assertThat(config.templates()).contains("{hint}", "{repo}", "{base}");
        assertThat(resolve(ConfigFile.yaml(config))).isEqualTo(config);
    }

    @Test
    void resolve_whatDoesNotGoWithRollouts_isRefusedAtOnce() {
        assertThatThrownBy(() -> resolve("""
                        input: {path: a.jsonl, text-column: t}
                        prompt: {format: raw}
                        rollout: {log-dir: /l, variables: [A]}
                        """))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("prompt.format")
                .hasMessageContaining("prompt.overlong")
                .hasMessageContaining("rollout.variables");
    }

    @Test
    void resolve_withoutALogFolder_rowsArePrompts() throws IOException {
        assertThat(resolve("input: {path: a.jsonl, text-column: t}").rollout()).isNull();
    }
}
