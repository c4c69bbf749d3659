package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.jobs.ExitCode;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Answers that are programs, kept if they pass their tests in the sandbox.
class CodeCheckIT {
    @TempDir
    private Path dir = Path.of("");

    @Test
    void programs_thatPassTheirTests_areKept() throws IOException {
        assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "skipped: no /usr/bin/python3");
        assumeTrue(isSandboxed(), "skipped: no sandbox here");
        Files.writeString(dir.resolve("seeds.jsonl"), """
                {"text": "write twice", "tests": "assert twice(4) == 8"}
                {"text": "write thrice", "tests": "assert thrice(4) == 12"}
                {"text": "write nothing", "tests": "assert True"}
                """);
        Files.writeString(dir.resolve("script.json"), """
                [{"when": "twice", "say": ["Here it is:\\n```python\\ndef twice(x):\\n    return 2 * x\\n```\\nDone."]},
                 {"when": "thrice", "say": ["def thrice(x):\\n    return 2 * x"]},
                 {"when": "nothing", "say": ["print('passed'); raise SystemExit(0)"]}]
                """);
        Path pipeline = Files.writeString(dir.resolve("pipeline.yaml"), """
                name: code
                settings: {engine.kind: saying, engine.model-dir: DIR/script.json}
                steps:
                  - seeds: {input: DIR/seeds.jsonl, text-column: text, columns: [tests]}
                  - answer: {}
                  - verify: {checks: [{kind: code, python: /usr/bin/python3}]}
                  - reject: {}
                """.replace("DIR", dir.toString()));
        GenerateRun job = new GenerateRun(dir.resolve("out"));

        assertThat(job.run(pipeline)).isEqualTo(ExitCode.USAGE);
        assertThat(job.err()).contains("--allow-code-execution: expected, got none");

        assertThat(job.run(pipeline, "--allow-code-execution")).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(job.counts("reject")).isEqualTo(Map.of("in", 3L, "made", 3L, "kept", 1L, "rejected code", 2L));
        assertThat(job.rows("04-reject"))
                .extracting(row -> row.<String>getAs("prompt") + ": " + row.getAs("detail"))
                .anyMatch(row -> row.startsWith("write thrice: failed"))
                .anyMatch(row -> row.startsWith("write twice: null"));
    }

    private static boolean isSandboxed() {
        try {
            Sandbox.requireAvailable();
            return true;
        } catch (SandboxException _) {
            return false;
        }
    }
}
