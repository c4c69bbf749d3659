package io.millrace.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.shard.RecordFormat;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
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
    /// Requests of OpenAI's batch format, one per line.
    OPENAI_BATCH,
    /// With a header line.
    CSV,
    /// One document per line, or per file.
    TEXT;

    private static final List<String> COMPRESSIONS = List.of(".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate");

    /// How records lie in the files.
    ///
    /// @param wholeFiles whether a text file is one document
    /// @param multiLineCsv whether quoted fields may span lines
    RecordFormat records(boolean wholeFiles, boolean multiLineCsv) {
        return switch (this) {
            case PARQUET -> RecordFormat.PARQUET;
            case JSONL -> RecordFormat.JSON_LINES;
            case OPENAI_BATCH -> RecordFormat.OPENAI_LINES;
            case CSV -> multiLineCsv ? RecordFormat.CSV : RecordFormat.CSV_LINES;
            case TEXT -> wholeFiles ? RecordFormat.TEXT_FILE : RecordFormat.TEXT_LINES;
            case AUTO -> throw new IllegalStateException("the names of the files have not been asked");
        };
    }

    /// What the configuration says, or what the paths' names tell; stays AUTO for directories, which only
    /// the file system can look into.
    static InputFormat of(List<String> paths, InputFormat asked, ConfigReader reader) {
        if (asked != AUTO) {
            return asked;
        }
        TreeSet<InputFormat> found = new TreeSet<>();
        paths.forEach(path -> ofName(path).ifPresent(found::add));
        if (found.size() > 1) {
            reader.problem(
                    "input.path",
                    "input.format: expected one format, got files of " + found + "; choose with --format");
        }
        return found.size() == 1 ? found.first() : AUTO;
    }

    /// Whether a file of this host begins with a request of OpenAI's batch format.
    static boolean isOpenAiBatch(String path) {
        try (BufferedReader lines = Files.newBufferedReader(
                Path.of(path.startsWith("file:") ? URI.create(path).getPath() : path))) {
            String line = lines.readLine();
            JsonNode first = line == null ? null : new ObjectMapper().readTree(line);
            return first != null && first.has("custom_id") && first.has("url") && first.has("body");
        } catch (IOException | IllegalArgumentException _) {
            // not a file of this host, or no JSON: who reads it says what is wrong with it
            return false;
        }
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
