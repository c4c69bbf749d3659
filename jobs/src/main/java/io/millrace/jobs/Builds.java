package io.millrace.jobs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/// What build of the program this is.
public final class Builds {

    private Builds() {}

    /// The version, as the build wrote it.
    public static String version() {
        Properties properties = new Properties();
        try (InputStream in = Builds.class.getResourceAsStream("/millrace.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("millrace.properties", e);
        }
        return properties.getProperty("version", "unknown");
    }

    /// The jar or folder this class was loaded from; null if the loader does not say.
    static @Nullable Path codeSource() {
        CodeSource source = Builds.class.getProtectionDomain().getCodeSource();
        return source == null ? null : Path.of(URI.create(source.getLocation().toString()));
    }
}
