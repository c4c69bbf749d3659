package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.jobs.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A pipeline with the bundled model: package descriptions, read and made up, and their synopses.
class BundledModelIT {
    @TempDir
    private Path dir = Path.of("");

    @Test
    void magpie_writesDescriptions_andAllAreAnswered() throws IOException {
        Path pipeline = Files.writeString(dir.resolve("pipeline.yaml"), """
                name: bundled
                seed: 5
                settings:
                  engine.model-dir: MODEL
                  prompt: {max-tokens: 128, overlong: truncate-middle}
                  sampling: {temperature: 0.8, top-p: 0.95}
                steps:
                  - seeds: {input: corpus/debian-synopsis-test.parquet, text-column: description, id-column: package, limit: 6}
                  - magpie: {requests: 6, settings: {sampling.max-tokens: 120}}
                  - answer: {samples: 2, settings: {sampling.max-tokens: 28}}
                  - annotate: {}
                """.replace(
                        "MODEL",
                        Path.of("../engine/models/synopsis-v4")
                                .toAbsolutePath()
                                .normalize()
                                .toString()));
        GenerateRun job = new GenerateRun(dir.resolve("out"));

        assertThat(job.run(pipeline)).as(job.err()).isEqualTo(ExitCode.OK);

        List<Row> turns = job.rows("02-magpie").stream()
                .filter(row -> row.getAs("source") == null)
                .toList();
        assertThat(turns).hasSize(6);
        assertThat(turns).extracting(row -> row.getAs("prompt")).doesNotHaveDuplicates();
        // the model was trained on descriptions in the user's place: it writes English there, and ends the turn itself
        assertThat(turns.stream().filter(row -> row.getAs("reason") == null).map(row -> row.<String>getAs("prompt")))
                .isNotEmpty()
                .allMatch(text -> text.matches("(?s).*[a-z]{3}.*") && !text.contains("\uFF5C"));
        Map<String, Long> answers = job.counts("answer");
        assertThat(answers.get("made")).isEqualTo(2 * answers.get("in"));
        assertThat(job.data()).hasSize((int) (long) answers.get("kept")).allSatisfy(row -> {
            Row metadata = row.getAs("metadata");
            List<Row> requests = metadata.getList(metadata.fieldIndex("provenance"));
            boolean madeUp = metadata.isNullAt(metadata.fieldIndex("source"));
            assertThat(requests)
                    .extracting(request -> request.getString(0))
                    .isEqualTo(madeUp ? List.of("magpie", "answer") : List.of("answer"));
            assertThat(requests)
                    .allMatch(request -> request.<String>getAs("model").equals("synopsis-v4"));
            assertThat(metadata.<Row>getAs("quality").<Integer>getAs("words")).isPositive();
        });
    }
}
