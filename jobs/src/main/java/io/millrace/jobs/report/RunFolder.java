package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.millrace.jobs.JobException;
import io.millrace.schemas.TableSchema;
import io.millrace.udf.shard.OutputDir;
import io.millrace.udf.shard.WholeFiles;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/// An output directory as a reader finds it: of a run, or of a job that has runs in folders of its own.
final class RunFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final WholeFiles files;
    private final Path path;

    private RunFolder(WholeFiles files, Path path) {
        this.files = files;
        this.path = path;
    }

    /// @throws JobException if there is no such directory
    static RunFolder open(String dir, Configuration conf) {
        Path given = new Path(dir);
        try {
            Path path = given.getFileSystem(conf).makeQualified(given);
            WholeFiles files = WholeFiles.on(path, conf);
            if (!files.fileSystem().exists(path)
                    || files.fileSystem().getFileStatus(path).isFile()) {
                throw new JobException("output " + path + ": expected the directory of a run, got none");
            }
            return new RunFolder(files, path);
        } catch (IOException e) {
            throw new JobException("output " + dir + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// The directory, with its file system.
    String location() {
        return path.toString();
    }

    Path path() {
        return path;
    }

    /// A folder in it.
    RunFolder folder(String name) {
        return new RunFolder(files, new Path(path, name));
    }

    private FileSystem fileSystem() {
        return files.fileSystem();
    }

    boolean has(String name) {
        try {
            return fileSystem().exists(new Path(path, name));
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    /// Whether a run has written its manifest there.
    boolean isRun() {
        return has(aside("run.json"));
    }

    /// Whether a run has committed rows there.
    boolean hasRows() {
        return names("").stream().anyMatch(name -> name.startsWith("part-") && name.endsWith(".parquet"));
    }

    /// The manifest of the run.
    ///
    /// @throws JobException if its rows have other columns than this version reads
    JsonNode manifest() {
        JsonNode manifest = json(aside("run.json"));
        TableSchema known = TableSchema.completion();
        String schema = manifest.path("fingerprint").path("schema").asText();
        String expected = known.name() + ".v" + known.version();
        if (!schema.equals(expected)) {
            throw new JobException("output " + path + ": expected rows of " + expected + ", got "
                    + (schema.isEmpty() ? "none" : schema) + ", which another version of Millrace reads");
        }
        return manifest;
    }

    /// Name of a file beside the manifest.
    static String aside(String name) {
        return "_millrace/" + name;
    }

    /// Names in a folder, sorted; none if there is no such folder.
    List<String> names(String folder) {
        try {
            List<String> names = new ArrayList<>();
            for (FileStatus entry : fileSystem().listStatus(folder.isEmpty() ? path : new Path(path, folder))) {
                names.add(entry.getPath().getName());
            }
            names.sort(Comparator.naturalOrder());
            return names;
        } catch (FileNotFoundException _) {
            return List.of();
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    /// A file of JSON; a missing node if there is none.
    JsonNode json(String name) {
        try (InputStream in = fileSystem().open(new Path(path, name))) {
            return JSON.readTree(in);
        } catch (FileNotFoundException _) {
            return MissingNode.getInstance();
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    /// Hands on the JSON of every line; of no file none.
    void forEachLine(String name, Consumer<JsonNode> consumer) {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(fileSystem().open(new Path(path, name)), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isBlank()) {
                    consumer.accept(JSON.readTree(line));
                }
            }
        } catch (FileNotFoundException _) {
            // none was written
        } catch (IOException | UncheckedIOException e) {
            throw unreadable(name, e);
        }
    }

    /// A file as it is; empty if there is none.
    String text(String name) {
        try (InputStream in = fileSystem().open(new Path(path, name))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (FileNotFoundException _) {
            return "";
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    /// Writes a whole file beside the manifest.
    ///
    /// @return where
    Path writeAside(String name, String text) {
        OutputDir output = new OutputDir(path.toString());
        Path target = output.aside(name);
        try {
            fileSystem().mkdirs(output.staging());
            files.write(output.staging(), target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
            return target;
        } catch (IOException e) {
            throw new JobException(target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private JobException unreadable(String name, Exception cause) {
        return new JobException(new Path(path, name) + ": expected to be readable, got " + cause.getMessage(), cause);
    }
}
