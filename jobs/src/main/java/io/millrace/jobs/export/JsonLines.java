package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// Files of JSON, one value a line, below a directory. They are there when all have been written, and
/// not before.
final class JsonLines implements Projection.Lines, AutoCloseable {
    private static final String UNFINISHED = ".unfinished";

    private final Path dir;
    private final SortedMap<String, BufferedWriter> writers = new TreeMap<>();
    private final SortedMap<String, Long> counts = new TreeMap<>();

    JsonLines(Path dir) {
        this.dir = dir;
    }

    @Override
    public void add(String file, ObjectNode line) {
        try {
            BufferedWriter writer = writers.get(file);
            if (writer == null) {
                Path path = dir.resolve(file + UNFINISHED);
                Files.createDirectories(path.toAbsolutePath().getParent());
                writer = Files.newBufferedWriter(path, StandardCharsets.UTF_8);
                writers.put(file, writer);
            }
            writer.write(line.toString());
            writer.write('\n');
            counts.merge(file, 1L, Long::sum);
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    /// Puts the files in their places.
    ///
    /// @return lines of each
    SortedMap<String, Long> finish() {
        writers.forEach((file, writer) -> {
            try {
                writer.close();
                Files.move(dir.resolve(file + UNFINISHED), dir.resolve(file), StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw failure(file, e);
            }
        });
        writers.clear();
        return Collections.unmodifiableSortedMap(counts);
    }

    private JobException failure(String file, IOException e) {
        return new JobException(dir.resolve(file) + ": expected to be writable, got " + e, e);
    }

    /// Leaves nothing behind that is not finished.
    @Override
    public void close() {
        for (var writer : writers.entrySet()) {
            try {
                writer.getValue().close();
                Files.deleteIfExists(dir.resolve(writer.getKey() + UNFINISHED));
            } catch (IOException e) {
                throw failure(writer.getKey(), e);
            }
        }
    }
}
