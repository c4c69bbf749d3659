package io.millrace.udf.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.jspecify.annotations.Nullable;

/// What a rollout has done so far, in a directory of its own: a line of JSON each, on the disk before
/// anything follows from it. Confined to one thread.
///
/// Each attempt writes a file of its own, `log-000000.jsonl`, `log-000001.jsonl`, ..., since not every
/// file system can add to a file: it begins where the lines before end (see {@link LogRecord.Segment}).
/// A last line that was not written to its end does not count. Where a file is there only when it is
/// complete (object stores), every line is a file.
///
/// Beside them are the archives that {@link Changes} name: written before the line that names them.
final class RolloutLog implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern SEGMENT = Pattern.compile("log-\\d{6}\\.jsonl");

    private final FileSystem files;
    private final Path directory;
    private final List<LogRecord> records = new ArrayList<>();
    private int segments;
    private @Nullable FSDataOutputStream out;

    private RolloutLog(FileSystem files, Path directory) {
        this.files = files;
        this.directory = directory;
    }

    /// Reads what earlier attempts have written; writes nothing yet.
    ///
    /// @throws IOException if it cannot be read
    /// @throws RolloutException if it is damaged
    static RolloutLog open(Path directory, Configuration conf) throws IOException {
        FileSystem files = directory.getFileSystem(conf);
        // a checksum beside a file that is not finished is of no use
        RolloutLog log = new RolloutLog(
                files instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : files, directory);
        for (Path segment : log.segments()) {
            log.read(segment);
        }
        return log;
    }

    private List<Path> segments() throws IOException {
        FileStatus[] entries;
        try {
            entries = files.listStatus(directory);
        } catch (FileNotFoundException _) {
            return List.of();
        }
        return Arrays.stream(entries)
                .map(FileStatus::getPath)
                .filter(path -> SEGMENT.matcher(path.getName()).matches())
                .sorted(Comparator.comparing(Path::getName))
                .toList();
    }

    private void read(Path segment) throws IOException {
        segments = Integer.parseInt(segment.getName().replaceAll("\\D", "")) + 1;
        byte[] bytes;
        try (InputStream in = files.open(segment)) {
            bytes = in.readAllBytes();
        }
        int line = 0;
        for (int start = 0, end = newline(bytes, 0); end >= 0; start = end + 1, end = newline(bytes, start), line++) {
            LogRecord record = parse(segment, line, new String(bytes, start, end - start, StandardCharsets.UTF_8));
            if (record instanceof LogRecord.Segment(int continues)) {
                if (line > 0 || continues > records.size()) {
                    throw damaged(
                            segment, line, "the lines that go before, got " + records.size() + " of " + continues);
                }
                records.subList(continues, records.size()).clear();
            } else if (line == 0) {
                throw damaged(segment, line, "a segment's first line");
            } else {
                records.add(record);
            }
        }
    }

    private static int newline(byte[] bytes, int from) {
        for (int at = from; at < bytes.length; at++) {
            if (bytes[at] == '\n') {
                return at;
            }
        }
        return -1;
    }

    private static LogRecord parse(Path segment, int line, String text) {
        try {
            return JSON.readValue(text, LogRecord.class);
        } catch (JsonProcessingException e) {
            throw damaged(segment, line, "a record, got " + e.getOriginalMessage());
        }
    }

    private static RolloutException damaged(Path segment, int line, String expected) {
        return new RolloutException("LOG_DAMAGED", segment + ", line " + (line + 1) + ": expected " + expected);
    }

    /// What has happened, in order.
    List<LogRecord> records() {
        return records;
    }

    /// Adds a line, and returns when it is on the disk.
    void add(LogRecord record) throws IOException {
        FSDataOutputStream segment = out;
        if (segment == null) {
            segment = open();
            out = segment;
            write(segment, new LogRecord.Segment(records.size()));
        }
        write(segment, record);
        records.add(record);
        if (segment.hasCapability(StreamCapabilities.HSYNC)) {
            segment.hsync();
        } else {
            close();
        }
    }

    private FSDataOutputStream open() throws IOException {
        files.mkdirs(directory);
        while (true) {
            try {
                return files.create(
                        new Path(directory, String.format(Locale.ROOT, "log-%06d.jsonl", segments++)), false);
            } catch (FileAlreadyExistsException _) {
                // another attempt has that number
            }
        }
    }

    private static void write(FSDataOutputStream out, LogRecord record) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        JSON.writeValue(line, record);
        line.write('\n');
        out.write(line.toByteArray());
    }

    /// Keeps the contents of changed files.
    String keep(Snapshots.Archive.Writer writer) throws IOException {
        files.mkdirs(directory);
        String name = "changes-" + UUID.randomUUID() + ".zip";
        try (FSDataOutputStream archive = files.create(new Path(directory, name), false)) {
            writer.writeTo(archive);
            if (archive.hasCapability(StreamCapabilities.HSYNC)) {
                archive.hsync();
            }
        }
        return name;
    }

    /// Opens what {@link #keep} has kept.
    InputStream open(String archive) throws IOException {
        return files.open(new Path(directory, archive));
    }

    /// Deletes the archives: of a rollout that has ended, the directory is not wanted any more.
    void dropArchives() throws IOException {
        for (FileStatus entry : files.listStatus(directory)) {
            if (entry.getPath().getName().endsWith(".zip")) {
                files.delete(entry.getPath(), false);
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (out != null) {
            out.close();
            out = null;
        }
    }
}
