package io.millrace.npu.cards;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Output of `npu-smi`: our own, and what other people's machines printed, which lies beside the repository.
final class Samples {
    private Samples() {}

    static String own(String name) {
        try (InputStream in = Samples.class.getResourceAsStream("/npu-smi/" + name)) {
            if (in == null) {
                throw new IllegalStateException("test resource /npu-smi/" + name + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The test is skipped, with the reason, where the file is absent.
    static Path shared(String name) {
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("LICENSE"))) {
            root = root.getParent();
        }
        Path file = root.resolveSibling("shared/npu-smi").resolve(name);
        assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent");
        return file;
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
