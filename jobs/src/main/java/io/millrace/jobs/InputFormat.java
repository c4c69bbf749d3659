package io.millrace.jobs;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/// How input files are read.
public enum InputFormat {
    /// By the names of the files.
    AUTO,
    PARQUET,
    /// One JSON object per line.
    JSONL,
    /// With a header line.
    CSV,
    /// One document per line, or per file.
    TEXT;

    /// The only column of a text file.
    public static final String TEXT_VALUE = "value";

    private static final List<String> COMPRESSIONS = List.of(".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate");

    /// What the configuration says, or what the paths' names tell; stays AUTO for directories, which only
    /// the file system can look into.
    static InputFormat of(List<String> paths, InputFormat asked, ConfigReader reader) {
        if (asked != AUTO) {
            return asked;
        }
        TreeSet<InputFormat> found = new TreeSet<>();
        paths.forEach(path -> ofName(path).ifPresent(found::add));
        if (found.size() > 1) {
            reader.problem("input.format: expected one format, got files of " + found + "; choose with --format");
        }
        return found.size() == 1 ? found.first() : AUTO;
    }

    /// The format a file's name tells, compression endings left aside.
    static Optional<InputFormat> ofName(String path) {
        String name = path.toLowerCase(Locale.ROOT);
        for (String compression : COMPRESSIONS) {
            if (name.endsWith(compression)) {
                name = name.substring(0, name.length() - compression.length());
            }
        }
        return switch (name.substring(Math.max(name.lastIndexOf('.'), 0))) {
            case ".parquet" -> Optional.of(PARQUET);
            case ".jsonl", ".ndjson", ".json" -> Optional.of(JSONL);
            case ".csv" -> Optional.of(CSV);
            case ".txt", ".text", ".md" -> Optional.of(TEXT);
            default -> Optional.empty();
        };
    }
}
