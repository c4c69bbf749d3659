package io.millrace.jobs;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.SparkSession;

/// The files behind input paths, on whatever file system.
///
/// @param conf Hadoop's configuration
/// @param names names of files found; of a directory, those of the first level, hidden ones left out
record InputFiles(Configuration conf, List<String> names) {

    /// Looks the paths up.
    ///
    /// @throws JobException if a path has no file, or no file system
    static InputFiles find(SparkSession spark, List<String> paths) {
        Configuration conf = spark.sparkContext().hadoopConfiguration();
        List<String> names = new ArrayList<>();
        for (String path : paths) {
            names.addAll(namesOf(new Path(path), conf));
        }
        return new InputFiles(conf, names);
    }

    private static List<String> namesOf(Path path, Configuration conf) {
        try {
            FileSystem fileSystem = FileSystems.of(path, conf);
            FileStatus[] found = fileSystem.globStatus(path);
            if (found == null || found.length == 0) {
                throw new JobException("input " + path + ": expected a file, directory or glob, got no file there");
            }
            List<String> names = new ArrayList<>();
            for (FileStatus status : found) {
                for (FileStatus file :
                        status.isDirectory() ? fileSystem.listStatus(status.getPath()) : new FileStatus[] {status}) {
                    String name = file.getPath().getName();
                    if (file.isFile() && !name.startsWith("_") && !name.startsWith(".")) {
                        names.add(name);
                    }
                }
            }
            return names;
        } catch (IOException e) {
            throw new JobException("input " + path + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// The one format that all names tell.
    InputFormat format() {
        TreeSet<InputFormat> found = new TreeSet<>();
        names.forEach(name -> InputFormat.ofName(name).ifPresent(found::add));
        if (found.size() != 1) {
            throw new JobException("input: expected files of one format, got "
                    + (found.isEmpty()
                            ? "no name that tells: " + names.stream().limit(3).toList()
                            : found)
                    + "; choose with --format");
        }
        return found.first();
    }

    /// Index of the first row of each row group by file, and at the end the file's rows; read from the
    /// footers.
    Map<String, long[]> rowGroupStarts(String[] files) {
        Map<String, long[]> starts = new TreeMap<>();
        for (String file : files) {
            Path path = new Path(URI.create(file));
            try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, conf))) {
                starts.put(name(file), starts(reader.getFooter().getBlocks()));
            } catch (IOException e) {
                throw new JobException("input " + file + ": expected Parquet, got " + e.getMessage(), e);
            }
        }
        return starts;
    }

    /// One spelling of a file's name, readable; Spark itself uses two (`file:/a%20b`, `file:///a%20b`).
    ///
    /// @param uri as Spark spells it, escaped
    static String name(String uri) {
        return new Path(URI.create(uri)).toString();
    }

    private static long[] starts(List<BlockMetaData> rowGroups) {
        long[] starts = new long[rowGroups.size() + 1];
        for (int rowGroup = 0; rowGroup < rowGroups.size(); rowGroup++) {
            starts[rowGroup + 1] = starts[rowGroup] + rowGroups.get(rowGroup).getRowCount();
        }
        return starts;
    }
}
