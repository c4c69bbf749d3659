package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run that is started again over what an earlier start left, on `local[2]` with the fake engine.
class ResumeIT {
    private static final String LOCAL = "local[2,2]";
    private static final String[] SHARDS_OF_TEN = {"-c", "plan.shard-rows=10"};

    @TempDir
    private Path dir = Path.of("");

    private FakeJob job = new FakeJob(dir);
    private Path out = dir;

    @BeforeEach
    void setUp() {
        out = dir.resolve("out");
        job = new FakeJob(out);
    }

    private Path input(String name, int rows) throws IOException {
        return Files.write(
                dir.resolve(name),
                IntStream.range(0, rows).mapToObj(row -> name + " " + row).toList());
    }

    private int run(Path input, String... more) {
        return job.run(
                LOCAL,
                input.toString(),
                Stream.of(SHARDS_OF_TEN, more).flatMap(Stream::of).toArray(String[]::new));
    }

    /// Name of each committed shard to when it was written.
    private Map<String, FileTime> shards() throws IOException {
        Map<String, FileTime> shards = new TreeMap<>();
        try (Stream<Path> files = Files.list(out)) {
            for (Path file :
                    files.filter(file -> file.toString().endsWith(".parquet")).toList()) {
                shards.put(file.getFileName().toString(), Files.getLastModifiedTime(file));
            }
        }
        return shards;
    }

    private JsonNode manifest() throws IOException {
        return new ObjectMapper().readTree(out.resolve("_millrace/run.json").toFile());
    }

    @Test
    void sameCommand_missingShards_onlyThoseAreComputed() throws IOException {
        Path input = input("in.txt", 95);
        assertThat(run(input)).as(job.err()).isZero();
        String digest = manifest().at("/digest").asText();
        String runId = manifest().at("/run_id").asText();
        Map<String, FileTime> before = shards();
        assertThat(before).hasSize(10);
        List<String> lost = before.keySet().stream().limit(3).toList();
        for (String name : lost) {
            Files.delete(out.resolve(name));
        }
        Files.delete(out.resolve("_SUCCESS"));

        assertThat(run(input)).as(job.err()).isZero();

        Map<String, FileTime> after = shards();
        assertThat(after.keySet()).isEqualTo(before.keySet());
        before.forEach((name, written) ->
                assertThat(after.get(name).equals(written)).as(name).isEqualTo(!lost.contains(name)));
        assertThat(manifest().at("/digest").asText()).isEqualTo(digest);
        assertThat(manifest().at("/run_id").asText()).isEqualTo(runId);
        assertThat(manifest().at("/starts")).hasSize(2);
        assertThat(job.rows()).extracting(row -> row.<String>getAs("run_id")).containsOnly(runId);
        assertThat(out.resolve("_SUCCESS")).exists();
    }

    @Test
    void sameCommand_finishedRun_computesNothing() throws IOException {
        Path input = input("in.txt", 25);
        assertThat(run(input)).as(job.err()).isZero();
        Map<String, FileTime> before = shards();

        assertThat(run(input)).as(job.err()).isZero();

        assertThat(shards()).isEqualTo(before);
        assertThat(job.out()).contains("rows before        25");
    }

    @Test
    void otherSettings_areRefusedWithTheDifference() throws IOException {
        Path input = input("in.txt", 25);
        assertThat(run(input)).as(job.err()).isZero();
        Map<String, FileTime> before = shards();

        assertThat(run(input, "--max-tokens", "7")).isEqualTo(ExitCode.ERROR);

        assertThat(job.err())
                .contains("sampling.max-tokens\n    was 64\n    now 7\n", "--new-run", "--redo")
                .doesNotContain("sampling.temperature");
        assertThat(shards()).isEqualTo(before);
    }

    @Test
    void otherInput_isRefusedWithTheFile_andRedoneOnRequest() throws IOException {
        Path texts = Files.createDirectory(dir.resolve("texts"));
        Path changing = input("texts/b.txt", 25);
        input("texts/a.txt", 25);
        assertThat(run(texts)).as(job.err()).isZero();
        Map<String, FileTime> before = shards();
        Files.writeString(changing, "one more\n", java.nio.file.StandardOpenOption.APPEND);
        input("texts/0.txt", 5);

        assertThat(run(texts)).isEqualTo(ExitCode.ERROR);
        assertThat(job.err())
                .contains("0.txt\n    was (none)\n", "b.txt\n    was ")
                .doesNotContain("a.txt\n    was");
        assertThat(shards()).isEqualTo(before);

        assertThat(run(texts, "--redo")).as(job.err()).isZero();
        Map<String, FileTime> after = shards();
        Map<String, FileTime> kept = new TreeMap<>(before);
        kept.keySet().retainAll(after.keySet());
        assertThat(after).hasSize(1 + 3 + 3).containsAllEntriesOf(kept);
        assertThat(kept).hasSize(3);
        assertThat(job.rows()).hasSize(5 + 25 + 26);
    }

    @Test
    void newRun_setsTheEarlierOneAside() throws IOException {
        Path input = input("in.txt", 25);
        assertThat(run(input)).as(job.err()).isZero();
        String earlier = manifest().at("/run_id").asText();
        Map<String, FileTime> before = shards();

        assertThat(run(input, "--new-run", "--max-tokens", "7")).as(job.err()).isZero();

        assertThat(shards()).hasSize(3).doesNotContainKeys(before.keySet().toArray(String[]::new));
        assertThat(manifest().at("/run_id").asText()).isNotEqualTo(earlier);
        Path aside = out.resolve("_millrace/earlier").resolve(earlier);
        assertThat(aside.resolve("_millrace/run.json")).exists();
        for (String name : before.keySet()) {
            assertThat(aside.resolve(name)).exists();
        }
    }

    @Test
    void inputThatChangesWhileItIsRead_failsAndSaysWhich() throws IOException {
        Path input = input("in.txt", 25);
        assertThat(run(input)).as(job.err()).isZero();
        // as if the file had been planned longer than it is now
        Path plan = out.resolve("_millrace/plan.json");
        Files.writeString(plan, Files.readString(plan).replace("\"rows\":25", "\"rows\":28"));
        for (String name : shards().keySet()) {
            Files.delete(out.resolve(name));
        }

        assertThat(run(input)).isEqualTo(ExitCode.ERROR);

        assertThat(job.err())
                .contains("in.txt, block 0, rows 20 to 27: expected 8 rows, got 5", " of 3 shards", "goes on");
        assertThat(manifest().at("/state").asText()).isEqualTo("failed");
    }

    @Test
    void leftovers_ofAttemptsThatDied_areCleared() throws IOException {
        Path input = input("in.txt", 25);
        assertThat(run(input)).as(job.err()).isZero();
        Path left = Files.writeString(out.resolve("_millrace/staging/part-0.parquet.x"), "half a file");

        assertThat(run(input)).as(job.err()).isZero();

        assertThat(left).doesNotExist();
        assertThat(job.rows())
                .extracting(ResumeIT::identity)
                .doesNotHaveDuplicates()
                .hasSize(25);
    }

    @Test
    void retryErrors_computesExactlyTheRowsThatFailed() throws IOException {
        Path needed = dir.resolve("needed");
        List<String> lines = new ArrayList<>();
        for (int row = 0; row < 35; row++) {
            lines.add(row == 3 || row == 12 || row == 14 ? "NEEDS=" + needed : "row " + row);
        }
        Path input = Files.write(dir.resolve("in.txt"), lines);
        assertThat(run(input)).as(job.err()).isZero();
        assertThat(manifest().at("/errors/INTERNAL").asInt()).isEqualTo(3);
        Map<String, FileTime> shards = shards();
        List<Row> before = job.rows();
        Files.createFile(needed);

        assertThat(run(input)).as(job.err()).isZero();
        assertThat(manifest().at("/errors/INTERNAL").asInt()).isEqualTo(3);
        assertThat(shards()).isEqualTo(shards);

        assertThat(run(input, "--retry-errors")).as(job.err()).isZero();
        assertThat(manifest().at("/counts").toString()).isEqualTo("{\"ok\":35}");
        assertThat(shards().keySet()).isEqualTo(shards.keySet());
        List<Row> after = job.rows();
        for (int row = 0; row < 35; row++) {
            boolean failed = lines.get(row).startsWith("NEEDS");
            assertThat(after.get(row).equals(before.get(row)))
                    .as(lines.get(row))
                    .isEqualTo(!failed);
            assertThat(after.get(row).<String>getAs("request_id")).isEqualTo(identity(before.get(row)));
        }
    }

    private static String identity(Row row) {
        return row.getAs("request_id");
    }
}
