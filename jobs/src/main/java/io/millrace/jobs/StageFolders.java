package io.millrace.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/// The folders of a job's stages, in a folder of its output directory that no reader of Parquet looks into.
/// A stage's table is written once, by Spark, together with what it was made of.
public final class StageFolders {
    /// Where the stages are.
    public static final String NAME = "_rounds";

    private static final String SUCCESS = "_SUCCESS";
    private static final String MADE_OF = "_made_of.json";

    private final FileSystem fileSystem;
    private final Path output;
    private final Path aside;

    private StageFolders(FileSystem fileSystem, Path output, Path aside) {
        this.fileSystem = fileSystem;
        this.output = output;
        this.aside = aside;
    }

    /// Takes the directory for a job of several stages.
    ///
    /// @throws JobException if it holds anything that is not ours
    public static StageFolders open(String outputDir, Configuration conf) {
        CompletionSink sink = CompletionSink.open(outputDir, conf);
        Path output = new Path(sink.location());
        try {
            FileSystem fileSystem = FileSystems.of(output, conf);
            fileSystem.mkdirs(sink.output().aside());
            return new StageFolders(fileSystem, output, sink.output().aside());
        } catch (IOException e) {
            throw new JobException("output " + output + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// The output directory, with its file system.
    public String output() {
        return output.toString();
    }

    /// A file or folder beside the output's manifest.
    public String aside(String name) {
        return asidePath(name).toString();
    }

    private Path asidePath(String name) {
        return new Path(aside, name);
    }

    /// A stage's folder.
    public String of(String stage) {
        return path(stage).toString();
    }

    private Path path(String stage) {
        return new Path(new Path(output, NAME), stage);
    }

    /// Whether a stage's table is there as it would be made of this.
    public boolean holds(String stage, String madeOf) {
        return madeOf.equals(madeOf(stage));
    }

    /// What a stage's table that is there was made of; null if there is none.
    public @Nullable String madeOf(String stage) {
        return isThere(stage) ? text(new Path(path(stage), MADE_OF)) : null;
    }

    private boolean isThere(String stage) {
        try {
            return fileSystem.exists(new Path(path(stage), SUCCESS));
        } catch (IOException e) {
            throw new JobException(path(stage) + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// Says of a table that was just written what it was made of.
    public void wrote(String stage, String madeOf) {
        Path file = new Path(path(stage), MADE_OF);
        try (FSDataOutputStream out = fileSystem.create(file, true)) {
            out.write(madeOf.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new JobException(file + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// Writes a file beside the output's manifest.
    public void writeAside(String name, String text) {
        Path file = asidePath(name);
        try (FSDataOutputStream out = fileSystem.create(file, true)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new JobException(file + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// Keeps the configuration of the whole job; that of the run beside it is its last stage's.
    ///
    /// @param group of keys that the job's command has of its own
    public void keep(JobConfig config, String group, Map<String, Object> keys) {
        writeAside("job.yaml", ConfigFile.yaml(config, group, keys));
    }

    /// The digest of all rows of a stage's run.
    public String digest(String stage) {
        Path manifest = new Path(path(stage), "_millrace/" + CompletionSink.MANIFEST);
        String json = text(manifest);
        try {
            return new ObjectMapper()
                    .readTree(json == null ? "{}" : json)
                    .path("digest")
                    .asText();
        } catch (IOException e) {
            throw new JobException(manifest + ": expected a manifest, got " + e.getMessage(), e);
        }
    }

    /// Deletes a stage's folder, if it is there.
    public void delete(String stage) {
        try {
            fileSystem.delete(path(stage), true);
        } catch (IOException e) {
            throw new JobException(path(stage) + ": expected to be deletable, got " + e.getMessage(), e);
        }
    }

    /// Moves all stages out of the way of a new run.
    public void setAside() {
        Path stages = new Path(output, NAME);
        Path earlier = asidePath("earlier");
        try {
            if (fileSystem.exists(stages)) {
                fileSystem.mkdirs(earlier);
                fileSystem.rename(stages, new Path(earlier, "rounds-" + UUID.randomUUID()));
            }
        } catch (IOException e) {
            throw new JobException(stages + ": could not be set aside: " + e.getMessage(), e);
        }
    }

    private @Nullable String text(Path file) {
        try (InputStream in = fileSystem.open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (FileNotFoundException _) {
            return null;
        } catch (IOException e) {
            throw new JobException(file + ": expected to be readable, got " + e.getMessage(), e);
        }
    }
}
