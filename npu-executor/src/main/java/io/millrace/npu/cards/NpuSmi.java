package io.millrace.npu.cards;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Runs the vendor's tool. It may be missing (often, in containers), and it may hang.
final class NpuSmi {
    private static final List<String> INSTALLED =
            List.of("npu-smi", "/usr/local/bin/npu-smi", "/usr/local/sbin/npu-smi");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int NOT_FOUND = 127;

    /// What came of it.
    sealed interface Outcome {}

    /// It ran.
    record Printed(String text) implements Outcome {}

    /// There is no such tool.
    record Missing() implements Outcome {}

    /// It ran and could not say.
    record Failed(String reason) implements Outcome {}

    private final List<String> places;
    private final Duration patience;

    /// @param places tried in this order
    NpuSmi(List<String> places, Duration patience) {
        this.places = List.copyOf(places);
        this.patience = patience;
    }

    /// Where it is usually installed.
    static NpuSmi installed() {
        return new NpuSmi(INSTALLED, PATIENCE);
    }

    Outcome run(String... args) {
        for (String place : places) {
            List<String> command = new ArrayList<>(List.of(place));
            command.addAll(List.of(args));
            Outcome outcome = run(command);
            if (!(outcome instanceof Missing)) {
                return outcome;
            }
        }
        return new Missing();
    }

    private Outcome run(List<String> command) {
        Path printed = null;
        try {
            // a file, so that a full pipe cannot hold the tool up while it is waited for
            printed = Files.createTempFile("npu-smi", ".txt");
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().put("LC_ALL", "C");
            builder.redirectErrorStream(true).redirectOutput(printed.toFile());
            Process process = start(builder);
            return process == null ? new Missing() : outcome(command, process, printed);
        } catch (IOException e) {
            return new Failed(String.join(" ", command) + ": " + e.getMessage());
        } finally {
            delete(printed);
        }
    }

    private static @Nullable Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException _) {
            return null;
        }
    }

    private Outcome outcome(List<String> command, Process process, Path printed) throws IOException {
        String said = String.join(" ", command);
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                return new Failed(said + ": expected an answer within " + patience.toSeconds() + " s, got none");
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return new Failed(said + ": interrupted");
        }
        String text = new String(Files.readAllBytes(printed), StandardCharsets.UTF_8);
        if (process.exitValue() == NOT_FOUND) {
            return new Missing();
        }
        return process.exitValue() == 0
                ? new Printed(text)
                : new Failed(said + ": exit code " + process.exitValue() + ": " + lastLine(text));
    }

    static String lastLine(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).reduce("nothing", (_, last) -> last);
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException _) {
            // an empty file stays in the temporary folder
        }
    }
}
