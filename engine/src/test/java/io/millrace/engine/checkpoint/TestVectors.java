package io.millrace.engine.checkpoint;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;

/// Where the vectors among the test resources are.
public final class TestVectors {
    private TestVectors() {}

    /// A folder or file below vectors/.
    public static Path path(String name) {
        URL url = TestVectors.class.getResource("/vectors/" + name);
        if (url == null) {
            throw new IllegalArgumentException("no test resource vectors/" + name);
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
