package io.millrace.jobs.swebench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A container engine: a command line that speaks Docker's language.
///
/// @param program docker or podman
record Engine(String program) {
    private static final Duration SHORT = Duration.ofMinutes(5);
    private static final int OUTPUT_BYTES = 16 << 20;

    /// Whether it answers.
    boolean isThere() throws IOException, InterruptedException {
        return run(SHORT, "info").isSuccess();
    }

    /// Whether it has an image. None is fetched: that is for whoever sets a machine up.
    boolean has(String image) throws IOException, InterruptedException {
        return run(SHORT, "image", "inspect", image).isSuccess();
    }

    /// @throws EnvironmentFault if it says no
    Ran must(String... arguments) throws IOException, InterruptedException, EnvironmentFault {
        Ran ran = run(SHORT, arguments);
        if (!ran.isSuccess()) {
            throw new EnvironmentFault(
                    "container_unavailable",
                    program + " " + arguments[0] + ": expected to succeed, got exit code " + ran.code() + ": "
                            + ran.output().strip());
        }
        return ran;
    }

    Ran run(Duration limit, String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(program));
        words.addAll(List.of(arguments));
        Path output = Files.createTempFile("millrace-swebench", ".out");
        try {
            Process process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            return new Ran(ended ? process.exitValue() : 124, head(output), ended ? "" : ", TIMED_OUT", !ended);
        } catch (IOException e) {
            if (program.startsWith("/") && Files.isExecutable(Path.of(program))) {
                throw e;
            }
            // no such program, which is an answer
            return new Ran(127, String.valueOf(e.getMessage()), "", false);
        } finally {
            Files.delete(output);
        }
    }

    private static String head(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(OUTPUT_BYTES), StandardCharsets.UTF_8);
        }
    }
}
