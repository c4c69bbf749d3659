package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MillraceTest {

    @TempDir
    private Path dir = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... args) {
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args);
    }

    @Test
    void help_listsEveryCommand() {
        assertThat(execute("--help")).isZero();
        assertThat(out.toString()).contains("summarize", "complete", "logits", "tokenize", "inspect", "devices");
    }

    @Test
    void version_namesProgramAndJava() {
        assertThat(execute("--version")).isZero();
        assertThat(out.toString()).startsWith("millrace ").contains("Java 2");
    }

    /// 3 layers of 2 key and 2 value heads of 16 floats; pages of 32 positions.
    @Test
    void inspect_modelOfAnotherArchitecture() {
        String model = "../engine/src/test/resources/vectors/tiny-qwen3moe";
        assertThat(execute("inspect", "--json", "--context", "64", "--model", model))
                .isZero();
        assertThat(out.toString())
                .contains("\"architecture\" : \"qwen3_moe\"", "\"layers\" : 3", "\"quantization\" : \"f32\"")
                .contains("\"cache_bytes_per_token\" : 768", "\"cache_bytes_of_64\" : 49152");
    }

    @Test
    void unknownOption_isUsage() {
        assertThat(execute("summarize", "--steam")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--steam");
    }

    @Test
    void summarize_wrongConfiguration_tellsAllAndStartsNothing() {
        int exit = execute("summarize", "-c", "sampling.top-p=2", "-c", "no.such=1", "--limit", "some");

        assertThat(exit).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString())
                .contains("sampling.top-p: expected a number in (0, 1], got 2 (-c)")
                .contains("no.such: no such key (-c)")
                .contains("input.limit: expected a whole number >= 0, got some (command line)");
    }

    @Test
    void summarize_dryRun_showsWhichLayerWon() throws IOException {
        Path file = Files.writeString(dir.resolve("job.yaml"), "sampling: {max-tokens: 5, seed: 8}\n");

        int exit = execute(
                "summarize", "--dry-run", "--config", file.toString(), "--max-tokens", "6", "-c", "engine.threads=3");

        assertThat(exit).as(err.toString()).isZero();
        assertThat(out.toString()).contains("max-tokens: 6").contains("seed: 8").contains("threads: 3");
    }

    @Test
    void summarize_retriesThatCannotBe_areUsage() {
        assertThat(execute("summarize", "--no-gate", "--gate-retries", "2")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--retry-quarantined: expected a gate, got none");
        assertThat(execute("summarize", "--gate-retries", "0")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--gate-retries: expected a whole number >= 1, got 0");
        assertThat(execute("summarize", "--gate-retries", "2", "--retry-quarantined"))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void complete_noModelFolder_isAnErrorInOneLine() {
        int exit = execute("complete", "--model", dir.resolve("none").toString(), "--prompt", "x");

        assertThat(exit).isEqualTo(ExitCode.ERROR);
        assertThat(err.toString().strip().lines())
                .singleElement()
                .asString()
                .startsWith("millrace: ")
                .contains("none");
    }

    @Test
    void complete_twoPrompts_isUsage() {
        assertThat(execute("complete", "--model", "m", "--prompt", "x", "--tokens", "y"))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void logits_badTokens_saysWhichFile() throws IOException {
        Path tokens = Files.writeString(dir.resolve("ids.json"), "[1, \"two\"]");

        int exit = execute("logits", "--model", "m", "--tokens", tokens.toString(), "--output", "o");

        assertThat(exit).isEqualTo(ExitCode.ERROR);
        assertThat(err.toString()).contains("ids.json: expected a token id at index 1, got \"two\"");
    }

    @Test
    void devices_listsTheCpu() {
        assertThat(execute("devices")).isZero();
        assertThat(out.toString()).contains("cpu      available");
    }
}
