package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The bundled model beside peers that answer what the tools of llama.cpp and ik_llama.cpp would.
class BenchCommandTest {
    private static final String MODEL = "../engine/models/synopsis-v4";

    @TempDir
    private Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void writePrograms() throws IOException {
        program("llama-bench", "echo '[{\"avg_ts\": 2.5}]'");
        program(
                "llama-batched-bench",
                "echo loaded CPU backend from /x/libggml-cpu-zen4.so >&2\necho '{\"speed_tg\": 4}'");
    }

    /// Two short rounds into a file.
    private JsonNode bench(String work, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--model", MODEL, "--work", work, "--prompt", "20", "--generate", "6", "--rounds", "2", "--json"));
        arguments.add(json().toString());
        arguments.addAll(List.of(more));
        assertThat(execute(arguments)).as(err.toString()).isZero();
        return new ObjectMapper().readTree(json().toFile());
    }

    private int execute(List<String> arguments) {
        return new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments.toArray(String[]::new));
    }

    private Path json() {
        return dir.resolve("bench.json");
    }

    private void program(String name, String script) throws IOException {
        Path file = dir.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void call_withAPeer_writesEveryFigure() throws IOException {
        JsonNode document = bench("prefill,decode:2", "--peer", "llama.cpp=" + dir);
        JsonNode works = document.path("works");
        for (String work : new String[] {"prefill", "decode:2"}) {
            assertThat(works.path(work).path("millrace").path("tokens_per_second"))
                    .hasSize(2)
                    .allMatch(rate -> rate.asDouble() > 0);
            assertThat(out.toString()).containsPattern("(?m)^" + work + " +llama.cpp +[24]\\.[05]  \\(");
        }
        JsonNode peer = works.path("decode:2").path("llama.cpp");
        assertThat(peer.path("tokens_per_second").get(1).asDouble()).isEqualTo(4);
        assertThat(peer.path("settings").asText()).contains("-t ", "-fa on", "libggml-cpu-zen4.so");
        assertThat(out.toString()).containsPattern("prefill +millrace +to llama.cpp .*bar 5.00");
        assertThat(document.path("ceilings").path("memory")).hasSize(1).allMatch(rate -> rate.asDouble() > 0);
        JsonNode model = document.path("model");
        long dense = model.path("weight_bytes_of_every_step").asLong();
        assertThat(model.path("weight_bytes_per_token").asLong())
                .isBetween(
                        dense + 1,
                        dense + model.path("weight_bytes_of_all_experts").asLong() - 1);
    }

    @Test
    void call_again_addsRounds() throws IOException {
        bench("decode:1", "--peers-only", "--peer", "llama.cpp=" + dir);
        JsonNode works =
                bench("decode:1", "--peers-only", "--peer", "llama.cpp=" + dir).path("works");
        assertThat(works.path("decode:1").path("llama.cpp").path("tokens_per_second"))
                .hasSize(4);
        assertThat(works.path("decode:1").has("millrace")).isFalse();
    }

    @Test
    void call_severalRings_aBarCountsTheBest() throws IOException {
        JsonNode document = bench("decode:1", "--peers-only", "--peer", "llama.cpp=" + dir);
        ObjectNode one = (ObjectNode) document.at("/works/decode:1");
        one.putObject("millrace").putArray("tokens_per_second").add(2);
        one.putObject("millrace other").putArray("tokens_per_second").add(8);
        new ObjectMapper().writeValue(json().toFile(), document);

        bench("decode:1", "--peers-only", "--peer", "llama.cpp=" + dir);

        assertThat(out.toString()).containsPattern("decode:1 +millrace other +to llama.cpp +2.00 +bar 1.20: met");
    }

    @Test
    void call_tuned_keepsTheFastestSettings() throws IOException {
        program(
                "llama-batched-bench",
                "case \"$*\" in *'-fa off'*) s=9;; *) s=4;; esac\necho \"{\\\"speed_tg\\\": $s}\"");
        JsonNode document = bench("decode:64", "--peers-only", "--tune", "--peer", "llama.cpp=" + dir);
        assertThat(document.path("tuned").path("llama.cpp").path("decode:64").asText())
                .isEqualTo("-fa off");
        JsonNode again = bench("decode:32", "--peers-only", "--peer", "llama.cpp=" + dir);
        JsonNode peer = again.path("works").path("decode:32").path("llama.cpp");
        assertThat(peer.path("settings").asText()).contains("-fa off");
        assertThat(peer.path("tokens_per_second").get(0).asDouble()).isEqualTo(9);
    }

    @Test
    void call_otherDialect_readsItsTable() throws IOException {
        program(
                "llama-batched-bench",
                "echo '|  PP | S_PP t/s | S_TG t/s |'\necho '|-----|-----|-----|'\necho '| 8 | 1.5 | 7.25 |'");
        JsonNode peer = bench("decode:2", "--peers-only", "--peer", "ik=" + dir).path("works");
        assertThat(peer.path("decode:2")
                        .path("ik")
                        .path("tokens_per_second")
                        .get(0)
                        .asDouble())
                .isEqualTo(7.25);
    }

    @Test
    void call_peerThatCannot_saysWhyInItsPlace() throws IOException {
        program("llama-batched-bench", "echo 'GGML_ASSERT(mask) failed' >&2\nexit 134");
        JsonNode peer = bench("decode:2", "--peers-only", "--peer", "ik=" + dir).path("works");
        JsonNode entry = peer.path("decode:2").path("ik");
        assertThat(entry.path("failure").asText()).contains("134", "GGML_ASSERT(mask) failed", "llama-batched-bench");
        assertThat(entry.has("tokens_per_second")).isFalse();
        assertThat(out.toString()).containsPattern("decode:2 +ik +- .*GGML_ASSERT");
    }

    @Test
    void call_noTools_isWrongUsage() {
        assertThat(execute(List.of("--model", MODEL, "--peer", "gone=" + dir.resolve("nowhere"))))
                .isEqualTo(2);
        assertThat(err.toString()).contains("gone", "llama-bench");
    }

    @Test
    void call_unknownWork_saysWhatIsKnown() {
        assertThat(execute(List.of("--model", MODEL, "--work", "sleep"))).isEqualTo(2);
        assertThat(err.toString()).contains("expected prefill, decode:STREAMS, curve or a trial, got sleep");
    }
}
