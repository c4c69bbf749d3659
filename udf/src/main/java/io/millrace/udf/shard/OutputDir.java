package io.millrace.udf.shard;

import java.io.Serializable;
import org.apache.hadoop.fs.Path;

/// Where things are in a run's output: `part-*.parquet` are committed shards, and in `_millrace/`, where no
/// reader of Parquet looks, is everything else.
///
/// @param dir the directory, with its file system
public record OutputDir(String dir) implements Serializable {
    private static final String ASIDE = "_millrace";
    private static final String STAGING = "staging";
    private static final String QUARANTINE = "quarantine";

    /// A committed file.
    public Path file(String name) {
        return new Path(dir, name);
    }

    /// A file that holds no rows.
    public Path aside(String name) {
        return new Path(aside(), name);
    }

    /// The rows that the gate has set aside, copied with the names of the rules that they break.
    public Path quarantine() {
        return aside(QUARANTINE);
    }

    /// The directory of everything that holds no rows.
    public Path aside() {
        return new Path(dir, ASIDE);
    }

    /// The directory of files that are being written.
    public Path staging() {
        return aside(STAGING);
    }
}
