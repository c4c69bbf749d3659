package io.millrace.jobs.generate;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import io.millrace.udf.shard.WholeFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// A folder of tables, each computed once: a table is whole when its mark is there, which is written last
/// and says what it is a table of. Anything else is computed anew.
final class StepFolder {
    private static final String MARK = "_fingerprint";
    private static final String STAGING = "_staging";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SparkSession spark;
    private final Path folder;
    private final WholeFiles files;

    private StepFolder(SparkSession spark, Path folder, WholeFiles files) {
        this.spark = spark;
        this.folder = folder;
        this.files = files;
    }

    static StepFolder of(SparkSession spark, Path folder) {
        try {
            Configuration conf = spark.sparkContext().hadoopConfiguration();
            Path qualified = folder.getFileSystem(conf).makeQualified(folder);
            return new StepFolder(spark, qualified, WholeFiles.on(qualified, conf));
        } catch (IOException e) {
            throw new JobException("output " + folder + ": expected a file system, got " + e.getMessage(), e);
        }
    }

    SparkSession spark() {
        return spark;
    }

    Path path(String name) {
        return new Path(folder, name);
    }

    /// The table of that name and fingerprint, computed if it is not there.
    Dataset<Row> once(String name, String fingerprint, Supplier<Dataset<Row>> rows) {
        Path mark = new Path(path(name), MARK);
        if (!fingerprint.equals(read(mark))) {
            delete(name);
            write(rows.get(), name);
            write(mark, fingerprint);
        }
        return table(name);
    }

    /// A table that is there.
    Dataset<Row> table(String name) {
        return spark.read().parquet(path(name).toString());
    }

    /// Writes a table; its files are named by their order, so that a row's place is the same whenever and
    /// wherever it is written.
    private void write(Dataset<Row> rows, String name) {
        rows.write()
                .option("compression", "zstd")
                .mode("overwrite")
                .parquet(path(name).toString());
        FileSystem fileSystem = files.fileSystem();
        try {
            FileStatus[] parts = fileSystem.globStatus(new Path(path(name), "part-*.parquet"));
            Arrays.sort(parts);
            for (int part = 0; part < parts.length; part++) {
                String file = String.format(Locale.ROOT, "rows-%05d.parquet", part);
                if (!fileSystem.rename(parts[part].getPath(), new Path(path(name), file))) {
                    throw new JobException(parts[part].getPath() + ": expected to be renamed to " + file);
                }
            }
            deleteChecksums(path(name));
        } catch (IOException e) {
            throw new JobException("output " + path(name) + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// Hadoop's own, of files under names they no longer have.
    private void deleteChecksums(Path dir) throws IOException {
        for (FileStatus checksum : files.fileSystem().globStatus(new Path(dir, ".*.crc"))) {
            files.fileSystem().delete(checksum.getPath(), false);
        }
    }

    void delete(String name) {
        try {
            files.fileSystem().delete(path(name), true);
        } catch (IOException e) {
            throw new JobException("output " + path(name) + ": expected to be deletable, got " + e.getMessage(), e);
        }
    }

    /// A file's text; null if there is none.
    @Nullable
    String read(Path file) {
        try (InputStream in = files.fileSystem().open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (FileNotFoundException _) {
            return null;
        } catch (IOException e) {
            throw new JobException(file + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// A JSON file; null if there is none.
    <T> @Nullable T read(String name, Class<T> type) {
        String json = read(path(name));
        try {
            return json == null ? null : JSON.readValue(json, type);
        } catch (IOException e) {
            throw new JobException(path(name) + ": expected JSON of this version, got " + e.getMessage(), e);
        }
    }

    /// Writes a value as JSON, whole or not at all.
    void write(String name, Object value) {
        try {
            write(path(name), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value) + "\n");
        } catch (IOException e) {
            throw new JobException("output " + path(name) + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    void write(Path file, String text) {
        try {
            files.write(new Path(folder, STAGING), file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
            files.fileSystem().delete(new Path(folder, STAGING), true);
        } catch (IOException e) {
            throw new JobException("output " + file + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    FileSystem fileSystem() {
        return files.fileSystem();
    }

    /// A table without rows.
    Dataset<Row> empty(StructType schema) {
        return spark.createDataFrame(List.of(), schema);
    }
}
