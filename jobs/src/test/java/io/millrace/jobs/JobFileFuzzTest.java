package io.millrace.jobs;

import io.millrace.fuzz.Fuzz;
import io.millrace.fuzz.Mutation;
import io.millrace.fuzz.Mutations;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damages a job's YAML: it is a configuration that can be written down and read again, or all that is wrong
/// with it is told, each with the file, and the line or the key.
class JobFileFuzzTest {
    private static final MillraceHome HOME = new MillraceHome(Path.of("/checkout"), Path.of("/work"));
    private static final long MAX_ALLOCATED = 64 << 20;
    private static final String JOB = """
            # every kind of value
            input:
              path: [a.csv, b.csv]
              format: csv
              text-column: t
              limit: 7
            output: {dir: /out}
            engine: {kind: local, model-dir: /m, threads: 3, cache-budget: 512m, cache-rounding: off}
            prompt:
              template: "{text}!"
              system: |
                be brief
                and clear
              max-tokens: 99
            sampling.temperature: 0.5
            sampling: {top-p: 0.9, stop: [x, "y"], seed: -3}
            gate: {enabled: false, rules: r.yaml, master: local}
            spark: {master: "local[3]", executor: {memory: 2g}}
            """;

    @TempDir
    private Path dir = Path.of("");

    @Test
    void jobFile_damaged() throws InterruptedException {
        Path file = dir.resolve("job.yaml");
        new Fuzz(
                        "job.yaml",
                        JOB.getBytes(StandardCharsets.UTF_8),
                        Mutation.oneOf(Mutations.text(), Mutations.text(), Mutations.bytes(0, JOB.length()))
                                .aFewTimes(),
                        Pattern.compile("(?s)job\\.yaml: .*(line:? \\d+|expected a mapping|at byte \\d+)"
                                + "|\\S+: .*\\(([^)]*job\\.yaml\\]?|bundled corpus)\\)"),
                        MAX_ALLOCATED)
                .run(damaged -> {
                    Files.write(file, damaged);
                    try {
                        JobConfig config = JobConfig.resolve(HOME, List.of(Settings.ofYaml(file)));
                        Files.writeString(file, ConfigFile.yaml(config));
                        JobConfig.resolve(HOME, List.of(Settings.ofYaml(file)));
                        return null;
                    } catch (ConfigException e) {
                        return e.getMessage();
                    }
                });
    }
}
