package io.millrace.engine.checkpoint;

import org.jspecify.annotations.Nullable;

/// The key-value pairs of a file that describes itself.
public interface Metadata {
    /// A whole or broken number, or null if there is no such key.
    @Nullable
    Number number(String key);

    /// A string, or null if there is no such key.
    @Nullable
    String text(String key);

    /// Elements of a list, or -1 if there is no such key.
    long listSize(String key);
}
