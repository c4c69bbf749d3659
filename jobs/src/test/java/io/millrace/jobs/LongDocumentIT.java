package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Long documents from the command line to committed Parquet, with an engine whose answer is the first
/// twelve bytes of its prompt.
class LongDocumentIT {
    private static final String LOCAL = "local[2,2]";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir = Path.of("");

    private FakeJob job = new FakeJob(dir);

    @BeforeEach
    void setUp() {
        job = new FakeJob(dir.resolve("out"));
    }

    private int run(String input, String... more) {
        List<String> args = new ArrayList<>(List.of("--text-column", "text", "--id-column", "id"));
        args.addAll(List.of("--reference-column", "gold", "--max-tokens", "12", "-c", "prompt.max-tokens=64"));
        args.addAll(Arrays.asList(more));
        return job.run(LOCAL, input, args.toArray(String[]::new));
    }

    private String input(String poisoned) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add(document("long", sentences(5), "alpha fox 0 runs"));
        lines.add(document("short", "Only a short text.", "[\"a short text\", \"another\"]"));
        lines.add("{\"id\": \"null\", \"text\": null}");
        lines.add("{\"id\": \"broken\", \"tex");
        lines.add(document("poisoned", sentences(3) + "\n\n" + poisoned + "\n\n" + sentences(1), "gold"));
        lines.add(document("longer", sentences(7), "alpha fox 0 runs"));
        return Files.write(dir.resolve("in.jsonl"), lines).toString();
    }

    private static String document(String id, String text, String gold) {
        ObjectNode node = JSON.createObjectNode();
        return node.put("id", id).put("text", text).put("gold", gold).toString();
    }

    private static String sentences(int count) {
        StringBuilder text = new StringBuilder();
        for (int sentence = 0; sentence < count; sentence++) {
            text.append("Fox number ").append(sentence).append(" runs over the hill to its den. ");
        }
        return text.toString().strip();
    }

    private List<String> outcomes() {
        return job.rows().stream()
                .map(row -> row.getAs("custom_id") + " " + FakeJob.outcome(row))
                .toList();
    }

    private Row row(String id) {
        return job.rows().stream()
                .filter(row -> id.equals(row.getAs("custom_id")))
                .findFirst()
                .orElseThrow();
    }

    private JsonNode manifest(String folder) throws IOException {
        return JSON.readTree(
                dir.resolve("out").resolve(folder).resolve("_millrace/run.json").toFile());
    }

    @Test
    void mapReduce_everyDocumentHasItsRow_andAFailedChunkSaysWhich() throws IOException {
        int exit = run(input("REFUSE-ME. And this is what follows it here."), "--strategy", "map-reduce");

        assertThat(exit).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(outcomes())
                .containsExactly(
                        "long ok",
                        "short ok",
                        "null TEXT_NULL",
                        job.rows().get(3).getAs("custom_id") + " MALFORMED_RECORD",
                        "poisoned EARLIER_STAGE",
                        "longer ok");
        assertThat(row("poisoned").<Row>getAs("error").<String>getAs("message"))
                .contains("chunk 3 of 5 (characters 133 to 177): INVALID_REQUEST: refused as asked");
        assertThat(row("long").<Integer>getAs("source_chars"))
                .isEqualTo(sentences(5).length());
        assertThat(row("short").<Double>getAs("rouge1")).isCloseTo(2.0 / 3, Offset.offset(1e-12));
        assertThat(manifest("_rounds/1/rows").at("/planned_rows").asInt()).isEqualTo(5 + 5 + 7);
        assertThat(manifest("").at("/planned_rows").asInt()).isEqualTo(6);

        assertSummaries();
        String digest = manifest("").at("/digest").asText();
        assertThat(run(dir.resolve("in.jsonl").toString(), "--strategy", "map-reduce"))
                .as(job.err())
                .isEqualTo(ExitCode.OK);
        assertThat(manifest("").at("/digest").asText()).isEqualTo(digest);

        assertThat(run(dir.resolve("in.jsonl").toString(), "--strategy", "refine"))
                .isEqualTo(ExitCode.ERROR);
        assertThat(job.err()).contains("expected to go on with the documents that are there, got others");
    }

    /// The table of sentences: each names its chunks, whose offsets are in the document.
    private void assertSummaries() {
        List<Row> summaries = FakeJob.withSpark(spark -> spark.read()
                .parquet(dir.resolve("out/_millrace/summaries").toString())
                .orderBy("row")
                .collectAsList());
        assertThat(summaries).hasSize(6);
        Row longest = summaries.get(5);
        String text = sentences(7);
        List<Row> sentences = longest.getList(longest.fieldIndex("sentences"));
        assertThat(sentences).hasSize(1);
        Row origin = sentences.getFirst().<Row>getList(3).getFirst();
        assertThat(origin.getInt(0)).isZero();
        assertThat(text.substring(origin.getInt(1), origin.getInt(2))).startsWith("Fox number 0 runs");
        assertThat(summaries.get(4).<Row>getAs("summary").<Double>getAs("rouge1"))
                .isZero();
        assertThat(summaries.get(0).<Row>getAs("lead").<Double>getAs("rougeL")).isPositive();
        assertThat(job.out()).contains("ROUGE-Lsum", "lead of 1", "means of 6 documents");
        assertThat(dir.resolve("out/_millrace/report.json")).exists();
    }

    @Test
    void refineAndHierarchical_chunkAfterChunk_andLeavingOut() throws IOException {
        String input = input("REFUSE-ME. And this is what follows it here.");

        assertThat(run(input, "--strategy", "refine", "-c", "summarize.failed-chunks=leave-out"))
                .as(job.err())
                .isEqualTo(ExitCode.OK);
        assertThat(outcomes()).contains("long ok", "short ok", "null TEXT_NULL", "poisoned ok", "longer ok");
        List<Row> leftOut = FakeJob.withSpark(spark -> spark.read()
                .parquet(dir.resolve("out/_millrace/summaries").toString())
                .filter("size(left_out) > 0")
                .collectAsList());
        assertThat(leftOut).hasSize(1);
        assertThat(leftOut.getFirst().<String>getAs("custom_id")).isEqualTo("poisoned");

        job = new FakeJob(dir.resolve("out2"));
        assertThat(run(input, "--strategy", "hierarchical", "--limit", "2"))
                .as(job.err())
                .isEqualTo(ExitCode.OK);
        assertThat(outcomes()).containsExactly("long ok", "short ok");
    }

    @Test
    void retryErrors_chunkThatFailed_isAskedAgainAndAllThatFollowsIsDoneAnew() throws IOException {
        Path needed = dir.resolve("n");
        String input = input("Wait a bit, NEEDS=" + needed);

        assertThat(run(input, "--strategy", "map-reduce")).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(outcomes()).contains("poisoned EARLIER_STAGE");
        Object before = row("long").getAs("output_text");

        Files.createFile(needed);
        assertThat(run(input, "--strategy", "map-reduce", "--retry-errors"))
                .as(job.err())
                .isEqualTo(ExitCode.OK);
        assertThat(outcomes()).contains("poisoned ok", "null TEXT_NULL");
        assertThat(row("long").<Object>getAs("output_text")).isEqualTo(before);
    }
}
