package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The bundled model beside a peer that answers what the tools of llama.cpp would.
class BenchCommandTest {
    private static final String MODEL = "../engine/models/synopsis-v4";

    @TempDir
    private Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int bench(String... arguments) {
        return new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private void program(String name, String line) throws IOException {
        Path file = dir.resolve(name);
        Files.writeString(file, "#!/bin/sh\necho '" + line + "'\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void call_withAPeer_writesEveryFigure() throws IOException {
        program("llama-bench", "[{\"avg_ts\": 2.5}]");
        program("llama-batched-bench", "{\"speed_tg\": 4}");
        Path json = dir.resolve("bench.json");
        int exit = bench(
                "--model",
                MODEL,
                "--work",
                "prefill,decode:2",
                "--prompt",
                "20",
                "--generate",
                "6",
                "--rounds",
                "2",
                "--peer",
                "other=" + dir,
                "--json",
                json.toString());
        assertThat(exit).as(err.toString()).isZero();
        JsonNode rates = new ObjectMapper().readTree(json.toFile()).path("tokens_per_second");
        for (String work : new String[] {"prefill", "decode:2"}) {
            assertThat(rates.path(work).path("millrace")).hasSize(2).allMatch(rate -> rate.asDouble() > 0);
            assertThat(out.toString()).containsPattern("(?m)^" + work + " .*ratio");
        }
        assertThat(rates.path("prefill").path("other").get(1).asDouble()).isEqualTo(2.5);
        assertThat(rates.path("decode:2").path("other").get(0).asDouble()).isEqualTo(4);
    }

    @Test
    void call_peerThatFails_saysWhichCommand() {
        int exit =
                bench("--model", MODEL, "--work", "prefill", "--prompt", "4", "--rounds", "1", "--peer", "gone=" + dir);
        assertThat(exit).isNotZero();
        assertThat(err.toString()).contains("gone", "llama-bench");
    }

    @Test
    void call_unknownWork_saysWhatIsKnown() {
        assertThat(bench("--model", MODEL, "--work", "sleep")).isEqualTo(2);
        assertThat(err.toString()).contains("expected prefill or decode:STREAMS, got sleep");
    }

    @Test
    void median_ofEvenAndOddCounts() {
        assertThat(BenchCommand.median(new double[] {3, 1, 2})).isEqualTo(2);
        assertThat(BenchCommand.median(new double[] {4, 1, 2, 3})).isEqualTo(2.5);
    }
}
