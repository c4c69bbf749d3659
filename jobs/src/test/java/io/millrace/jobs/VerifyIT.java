package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// `millrace verify` over an output that is whole, and over one to which something was done.
class VerifyIT {

    @TempDir
    private Path dir = Path.of("");

    private Path out = dir;
    private final StringWriter said = new StringWriter();

    @BeforeEach
    void finishedRun() throws IOException {
        out = dir.resolve("out");
        run(out, "text ");
    }

    private void run(Path output, String text) throws IOException {
        Path input = Files.write(
                dir.resolve("in.txt"),
                IntStream.range(0, 35).mapToObj(row -> text + row).toList());
        FakeJob job = new FakeJob(output);
        assertThat(job.run("local[2,2]", input.toString(), "-c", "plan.shard-rows=10", "-c", "sampling.samples=2"))
                .as(job.err())
                .isZero();
    }

    private int verify() {
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(said));
        commandLine.setErr(new PrintWriter(said));
        return commandLine.execute("verify", out.toString(), "--master", "local[2]");
    }

    private static List<Path> parts(Path output) throws IOException {
        try (Stream<Path> files = Files.list(output)) {
            return files.filter(file -> file.toString().endsWith(".parquet"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void wholeOutput_isAsItsManifestSays() {
        assertThat(verify()).as(said.toString()).isEqualTo(ExitCode.OK);
        assertThat(said.toString()).contains("as its manifest says: 4 shards, 70 rows, digest ");
    }

    @Test
    void shardOfAnotherRun_underTheRightName_isFound() throws IOException {
        Path other = dir.resolve("other");
        run(other, "word ");
        Path ours = parts(out).getFirst();
        Files.copy(parts(other).getFirst(), ours, StandardCopyOption.REPLACE_EXISTING);

        assertThat(verify()).isEqualTo(ExitCode.DIFFERS);

        assertThat(said.toString()).contains(ours.getFileName().toString(), "request id of row", "digest: expected");
    }

    @Test
    void missingAndForeignFiles_areFound() throws IOException {
        Path gone = parts(out).getLast();
        Files.move(gone, out.resolve("part-0000000000000000.parquet"));

        assertThat(verify()).isEqualTo(ExitCode.DIFFERS);

        assertThat(said.toString())
                .contains(
                        "such as [part-0000000000000000.parquet]",
                        gone.getFileName() + ": expected a committed shard, got",
                        "counts: expected");
    }

    @Test
    void manifestWithAnotherCount_isFound() throws IOException {
        Path manifest = out.resolve("_millrace/run.json");
        Files.writeString(manifest, Files.readString(manifest).replace("\"ok\" : 70", "\"ok\" : 69"));

        assertThat(verify()).isEqualTo(ExitCode.DIFFERS);

        assertThat(said.toString()).contains("counts: expected {\"ok\":69} as noted, got {\"ok\":70}");
    }

    @Test
    void noRun_isAnError() {
        out = dir.resolve("none");

        assertThat(verify()).isEqualTo(ExitCode.ERROR);
        assertThat(said.toString()).contains("expected a run, got no ");
    }
}
