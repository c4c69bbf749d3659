package io.millrace.quality;

import io.millrace.fuzz.Fuzz;
import io.millrace.fuzz.Mutation;
import io.millrace.fuzz.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damages the starter rules: they are rules, or all that is wrong with them is told, each with file and line.
class RulesFileFuzzTest {
    private static final long MAX_ALLOCATED = 64 << 20;

    @TempDir
    private Path dir = Path.of("");

    @Test
    void rules_damaged() throws IOException, InterruptedException {
        Path file = dir.resolve("rules.yaml");
        byte[] starter = Files.readAllBytes(Path.of("rules", "summarize.yaml"));
        new Fuzz(
                        "rules.yaml",
                        starter,
                        Mutation.oneOf(Mutations.text(), Mutations.text(), Mutations.bytes(0, starter.length))
                                .aFewTimes(),
                        Pattern.compile("(?s)rules\\.yaml(:\\d+: |: no YAML: .*line \\d+|: .* at byte \\d+)"),
                        MAX_ALLOCATED)
                .run(damaged -> {
                    Files.write(file, damaged);
                    try {
                        RulesFile.read(file);
                        return null;
                    } catch (AuditException e) {
                        return e.getMessage();
                    }
                });
    }
}
