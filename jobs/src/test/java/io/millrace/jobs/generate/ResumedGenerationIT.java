package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.jobs.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A pipeline that was stopped in the middle of a step, and goes on.
class ResumedGenerationIT {
    @TempDir
    private Path dir = Path.of("");

    private Path pipeline(Path needed) throws IOException {
        StringBuilder seeds = new StringBuilder();
        for (int row = 0; row < 200; row++) {
            seeds.append(row == 150 ? "NEEDS-WHEN-HOT=" + needed : "seed " + row)
                    .append('\n');
        }
        Path input = Files.writeString(dir.resolve("seeds.txt"), seeds);
        return Files.writeString(dir.resolve("pipeline.yaml"), """
                name: stopped
                settings: {engine.kind: fake, engine.model-dir: fake-model, sampling.temperature: 0.5, plan.shard-rows: 10}
                steps:
                  - seeds: {input: INPUT, format: text}
                  - answer: {samples: 2}
                  - filter: {rules: {has-answer: answer is not null}}
                """.replace("INPUT", input.toString()));
    }

    @Test
    void stopped_inTheMiddle_keepsWhatIsDone() throws IOException {
        Path needed = dir.resolve("needed");
        Path pipeline = pipeline(needed);
        GenerateRun job = new GenerateRun(dir.resolve("out"));

        assertThat(job.run(pipeline)).isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("no device when hot", "goes on");
        Map<String, Long> before = job.modified();
        assertThat(before.keySet())
                .anyMatch(file -> file.startsWith("steps/01-seeds/rows/"))
                .anyMatch(file -> file.startsWith("steps/02-answer/requests/"))
                .anyMatch(file -> file.startsWith("steps/02-answer/completions/part-"))
                .noneMatch(file -> file.startsWith("steps/02-answer/rows/"));
        Files.createFile(needed);

        assertThat(job.run(pipeline)).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(job.modified()).containsAllEntriesOf(before);
        assertThat(job.counts("answer")).isEqualTo(Map.of("in", 200L, "made", 400L, "kept", 400L));
        assertThat(job.split("train"))
                .hasSize(400)
                .allSatisfy(row -> assertThat(row.<Row>getList(0)).hasSize(2));
    }

    @Test
    void model_thatIsAnother_isRefusedAndRedone() throws IOException {
        Path needed = Files.createFile(dir.resolve("needed"));
        Path pipeline = pipeline(needed);
        GenerateRun job = new GenerateRun(dir.resolve("out"));
        assertThat(job.run(pipeline)).as(job.err()).isEqualTo(ExitCode.OK);

        assertThat(job.run(pipeline, "--model", "other-model")).isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("expected to go on with the run that is there, got another run", "other-model");

        assertThat(job.run(pipeline, "--model", "other-model", "--redo"))
                .as(job.err())
                .isEqualTo(ExitCode.OK);
        Row row = job.split("train").getFirst();
        assertThat(row.<Row>getAs("metadata")
                        .<Row>getList(row.<Row>getAs("metadata").fieldIndex("provenance"))
                        .getFirst()
                        .<String>getAs("model"))
                .isEqualTo("other-model");
    }
}
