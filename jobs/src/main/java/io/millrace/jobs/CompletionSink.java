package io.millrace.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.Columns;
import io.millrace.schemas.TableSchema;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;

/// The output directory of a run: `part-*.parquet` and `_SUCCESS`, and in `_millrace/` everything that is no
/// row, where no reader of Parquet looks. Rows are written to a staging directory first and moved at the
/// end; a directory without `_SUCCESS` holds no result.
///
/// The schema's version stands in every file's footer: Spark's own key
/// `org.apache.spark.sql.parquet.row.metadata` holds the columns with their metadata, and that of
/// `request_id` has `millrace.schema`.
final class CompletionSink {
    /// Key in the metadata of the first column.
    static final String SCHEMA_KEY = "millrace.schema";

    private static final String ASIDE = "_millrace";
    private static final String STAGING = "staging";
    private static final String SUCCESS = "_SUCCESS";
    private static final String MANIFEST = "run.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FileSystem fileSystem;
    private final Path dir;

    private CompletionSink(FileSystem fileSystem, Path dir) {
        this.fileSystem = fileSystem;
        this.dir = dir;
    }

    /// Takes the directory for a run, and clears what an unfinished run of ours left there.
    ///
    /// @throws JobException if it holds a finished run, or anything that is not ours
    static CompletionSink open(String outputDir, Configuration conf) {
        Path path = new Path(outputDir);
        try {
            FileSystem fileSystem = FileSystems.of(path, conf);
            CompletionSink sink = new CompletionSink(fileSystem, fileSystem.makeQualified(path));
            sink.claim();
            return sink;
        } catch (IOException e) {
            throw new JobException("output " + outputDir + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private void claim() throws IOException {
        if (fileSystem.exists(dir)) {
            if (fileSystem.getFileStatus(dir).isFile()) {
                throw new JobException("output " + dir + ": expected a directory, got a file");
            }
            if (fileSystem.exists(new Path(dir, SUCCESS))) {
                throw new JobException(
                        "output " + dir + ": expected an empty directory, got a finished run; choose another --output");
            }
            boolean ours = fileSystem.exists(aside(MANIFEST));
            for (FileStatus entry : fileSystem.listStatus(dir)) {
                clear(entry.getPath(), ours);
            }
        }
        fileSystem.mkdirs(new Path(dir, ASIDE));
    }

    private void clear(Path entry, boolean ours) throws IOException {
        boolean known = entry.getName().equals(ASIDE) || isPart(entry);
        if (!ours || !known) {
            throw new JobException("output " + dir + ": expected an empty directory, got one with " + entry.getName()
                    + "; choose another --output");
        }
        fileSystem.delete(entry, true);
    }

    private static boolean isPart(Path path) {
        return path.getName().startsWith("part-") && path.getName().endsWith(".parquet");
    }

    /// Writes the rows. This is the one action on the plan: whoever wants to know something reads what was
    /// written.
    void write(Dataset<Row> completions) {
        Metadata version =
                new MetadataBuilder().putString(SCHEMA_KEY, schemaName()).build();
        String key = Columns.Completion.REQUEST_ID;
        completions
                .withColumn(key, functions.col(key).as(key, version))
                .write()
                .mode(SaveMode.ErrorIfExists)
                .option("compression", "zstd")
                .parquet(aside(STAGING).toString());
    }

    /// Where the rows are until they are committed.
    String stagedLocation() {
        return aside(STAGING).toString();
    }

    /// Moves the rows in place; after that the run is there.
    void commit() {
        try {
            for (FileStatus part : fileSystem.listStatus(aside(STAGING), CompletionSink::isPart)) {
                Path target = new Path(dir, part.getPath().getName());
                if (!fileSystem.rename(part.getPath(), target)) {
                    throw new JobException("output " + target + ": expected to be free, got a file there");
                }
            }
            fileSystem.delete(aside(STAGING), true);
            fileSystem.create(new Path(dir, SUCCESS), true).close();
        } catch (IOException e) {
            throw new JobException(
                    "output " + dir + ": rows are in " + aside(STAGING) + " and could not be moved: " + e.getMessage(),
                    e);
        }
    }

    static String schemaName() {
        TableSchema schema = TableSchema.completion();
        return schema.name() + ".v" + schema.version();
    }

    /// The output directory, with its file system.
    String location() {
        return dir.toString();
    }

    /// Where a file that is no row belongs.
    Path aside(String name) {
        return new Path(new Path(dir, ASIDE), name);
    }

    void writeAside(String name, String text) {
        try (OutputStream out = fileSystem.create(aside(name), true)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new JobException("output " + aside(name) + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    void writeManifest(RunManifest manifest) {
        writeAside(MANIFEST, manifest.json());
    }

    JsonNode readAside(String name) {
        try (InputStream in = fileSystem.open(aside(name))) {
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new JobException(aside(name) + ": expected JSON, got " + e.getMessage(), e);
        }
    }
}
