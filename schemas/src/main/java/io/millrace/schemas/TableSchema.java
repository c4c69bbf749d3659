package io.millrace.schemas;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/// The shape of one table or file on disk, as text: Spark's StructType JSON for a table, JSON Schema for a
/// file. A published version never changes; a new shape is a new version.
///
/// @param name what the table is called, for example `completion`
/// @param version from 1
/// @param json the resource, unchanged
public record TableSchema(String name, int version, String json) {

    /// Every resource that [#load] knows, as `name.vVersion`.
    public static final List<String> AVAILABLE =
            List.of("completion.v1", "completion.v2", "completion.v3", "run.v1", "run.v2");

    public TableSchema {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(json, "json");
        if (version < 1) {
            throw new IllegalArgumentException("schema " + name + ": expected a version from 1, got " + version);
        }
    }

    /// One row per input row and sample, whatever happened to it: the output of a run (Spark StructType
    /// JSON).
    public static TableSchema completion() {
        return load("completion", 3);
    }

    /// Reads a schema from the resources of this module.
    ///
    /// @throws IllegalArgumentException when there is no such schema; the message lists those that exist
    public static TableSchema load(String name, int version) {
        String resource = name + ".v" + version;
        if (!AVAILABLE.contains(resource)) {
            throw new IllegalArgumentException("schema " + resource + ": expected one of " + AVAILABLE);
        }
        return new TableSchema(name, version, read("/schemas/" + resource + ".json"));
    }

    private static String read(String path) {
        try (InputStream in = TableSchema.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException(path + ": listed as available, but not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        }
    }
}
