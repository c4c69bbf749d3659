package io.millrace.engine.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// Where tests find files: our own as resources, other people's in the folder `shared` beside the repository.
public final class SharedFiles {
    private SharedFiles() {}

    /// A file of `../shared`; the test is skipped, with the reason, where it is absent.
    public static Path shared(String name) {
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("LICENSE"))) {
            root = root.getParent();
        }
        Path file = root.resolveSibling("shared").resolve(name);
        assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent");
        return file;
    }

    /// A resource of the tests under `/encoding`.
    public static byte[] resource(String name) {
        try (InputStream in = SharedFiles.class.getResourceAsStream("/encoding/" + name)) {
            if (in == null) {
                throw new IllegalStateException("test resource /encoding/" + name + " is missing");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(name, e);
        }
    }

    /// The small tokenizer with DeepSeek's split rules and V4's control tokens.
    public static Tokenizer smallTokenizer() {
        return BpeTokenizer.parse("small-tokenizer.json", resource("small-tokenizer.json"));
    }
}
