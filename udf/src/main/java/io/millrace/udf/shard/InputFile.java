package io.millrace.udf.shard;

import java.io.Serializable;

/// An input file as it was when the run was planned. A file that has changed since is another file: its rows
/// are other rows.
///
/// @param name the file, as rows name it: with its file system, not escaped
/// @param bytes length
/// @param modifiedMillis time of modification, milliseconds since 1970 UTC
public record InputFile(String name, long bytes, long modifiedMillis) implements Serializable {

    /// Length and time of modification, as row identities hold it.
    public String version() {
        return bytes + "@" + modifiedMillis;
    }
}
