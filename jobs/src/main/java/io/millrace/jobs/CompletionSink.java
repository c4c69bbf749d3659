package io.millrace.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.shard.OutputDir;
import io.millrace.udf.shard.WholeFiles;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.jspecify.annotations.Nullable;

/// The output directory of a run: `part-*.parquet`, a file for each committed shard, `_SUCCESS` when all
/// are, and in `_millrace/` everything that is no row, where no reader of Parquet looks. A directory
/// without `_SUCCESS` holds a part of the result.
///
/// Every file is there whole or not at all.
final class CompletionSink {
    static final String MANIFEST = "run.json";
    static final String PLAN = "plan.json";
    /// A line for each committed shard.
    static final String SHARDS = "shards.jsonl";
    /// What was expected of the run before it began, see {@link RunPlanner}.
    static final String FORECAST = "forecast.json";

    private static final String SUCCESS = "_SUCCESS";
    private static final String EARLIER = "earlier";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final WholeFiles files;
    private final OutputDir output;

    private CompletionSink(WholeFiles files, OutputDir output) {
        this.files = files;
        this.output = output;
    }

    /// Looks at the directory; changes nothing.
    ///
    /// @throws JobException if it holds anything that is not ours
    static CompletionSink open(String outputDir, Configuration conf) {
        Path path = new Path(outputDir);
        try {
            Path dir = FileSystems.of(path, conf).makeQualified(path);
            CompletionSink sink = new CompletionSink(WholeFiles.on(dir, conf), new OutputDir(dir.toString()));
            sink.requireOurs(dir);
            return sink;
        } catch (IOException e) {
            throw new JobException("output " + outputDir + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    private void requireOurs(Path dir) throws IOException {
        if (!fileSystem().exists(dir)) {
            return;
        }
        if (fileSystem().getFileStatus(dir).isFile()) {
            throw new JobException("output " + dir + ": expected a directory, got a file");
        }
        boolean ours = fileSystem().exists(output.aside());
        forEachFile(entry -> {
            String name = entry.getPath().getName();
            // no reader of Parquet looks at names that begin so
            boolean known = name.startsWith("_") || name.startsWith(".") || isPart(name);
            if (!ours || !known) {
                throw new JobException("output " + dir + ": expected an empty directory, got one with " + name
                        + "; choose another --output");
            }
        });
    }

    private static boolean isPart(String name) {
        return name.startsWith("part-") && name.endsWith(".parquet");
    }

    private FileSystem fileSystem() {
        return files.fileSystem();
    }

    private void forEachFile(Consumer<FileStatus> consumer) throws IOException {
        RemoteIterator<FileStatus> entries = fileSystem().listStatusIterator(new Path(output.dir()));
        while (entries.hasNext()) {
            consumer.accept(entries.next());
        }
    }

    /// Makes the directory ready to be written to, and clears what attempts that died left half written.
    void prepare() {
        try {
            fileSystem().delete(output.staging(), true);
            fileSystem().mkdirs(output.staging());
            fileSystem().delete(output.file(SUCCESS), false);
        } catch (IOException e) {
            throw new JobException("output " + output.dir() + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// Hands on the name of every committed file.
    void forEachPart(Consumer<String> consumer) {
        try {
            if (fileSystem().exists(new Path(output.dir()))) {
                forEachFile(entry -> {
                    if (isPart(entry.getPath().getName())) {
                        consumer.accept(entry.getPath().getName());
                    }
                });
            }
        } catch (IOException e) {
            throw new JobException("output " + output.dir() + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    void delete(String part) {
        try {
            fileSystem().delete(output.file(part), false);
        } catch (IOException e) {
            throw new JobException(output.file(part) + ": expected to be deletable, got " + e.getMessage(), e);
        }
    }

    /// Deletes a file or directory that holds no rows, if it is there.
    void deleteAside(String name) {
        try {
            fileSystem().delete(aside(name), true);
        } catch (IOException e) {
            throw new JobException(aside(name) + ": expected to be deletable, got " + e.getMessage(), e);
        }
    }

    /// Moves everything of the run that is here out of the way.
    ///
    /// @param name of a directory that nothing has had before
    void setAside(String name) {
        Path earlier = new Path(output.aside(EARLIER), name);
        try {
            fileSystem().mkdirs(new Path(earlier, output.aside().getName()));
            forEachPart(part -> move(output.file(part), new Path(earlier, part)));
            // the manifest goes last: until then this is a run that can be set aside
            RemoteIterator<FileStatus> asides = fileSystem().listStatusIterator(output.aside());
            while (asides.hasNext()) {
                Path entry = asides.next().getPath();
                if (!entry.getName().equals(EARLIER)) {
                    move(entry, new Path(new Path(earlier, output.aside().getName()), entry.getName()));
                }
            }
        } catch (IOException e) {
            throw new JobException(
                    "output " + output.dir() + ": the run there could not be set aside in " + earlier + ": "
                            + e.getMessage(),
                    e);
        }
    }

    private void move(Path from, Path to) {
        try {
            if (!fileSystem().rename(from, to)) {
                throw new JobException(from + ": expected to move to " + to + ", could not");
            }
        } catch (IOException e) {
            throw new JobException(from + ": expected to move to " + to + ", got " + e.getMessage(), e);
        }
    }

    /// Says that all rows are there.
    void succeed() {
        write(output.file(SUCCESS), "");
    }

    /// The output directory, with its file system.
    String location() {
        return output.dir();
    }

    OutputDir output() {
        return output;
    }

    /// Where a file that is no row belongs.
    Path aside(String name) {
        return output.aside(name);
    }

    void writePlan(InputPlan plan) {
        // the mapper would close what it writes to before that is brought to the disk
        writeAside(PLAN, out -> out.write(JSON.writeValueAsBytes(plan)));
    }

    void writeAside(String name, String text) {
        write(output.aside(name), text);
    }

    void writeAside(String name, WholeFiles.Content content) {
        Path target = output.aside(name);
        try {
            files.write(output.staging(), target, content);
        } catch (IOException e) {
            throw new JobException("output " + target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private void write(Path target, String text) {
        try {
            files.write(output.staging(), target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new JobException("output " + target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// A file of text lines.
    BufferedReader openAside(String name) throws IOException {
        return new BufferedReader(new InputStreamReader(fileSystem().open(aside(name)), StandardCharsets.UTF_8));
    }

    /// A file of JSON; null if there is none.
    <T> @Nullable T readAside(String name, Class<T> type) {
        try (InputStream in = fileSystem().open(aside(name))) {
            return JSON.readValue(in, type);
        } catch (FileNotFoundException _) {
            return null;
        } catch (IOException e) {
            throw new JobException(
                    aside(name) + ": expected JSON of " + type.getSimpleName() + ", got " + e.getMessage(), e);
        }
    }
}
