package io.millrace.jobs;

import io.millrace.udf.shard.InputFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/// The files behind input paths, on whatever file system, each once, in the order of their names.
record InputFiles(List<InputFile> files) {

    /// Looks the paths up. Of a directory all files in it count, those in its directories too, but nothing
    /// whose name starts with `_` or `.`.
    ///
    /// @throws JobException if a path has no file, or no file system
    static InputFiles find(List<String> paths, Configuration conf) {
        TreeMap<String, InputFile> found = new TreeMap<>();
        for (String path : paths) {
            find(new Path(path), conf, found);
        }
        return new InputFiles(List.copyOf(found.values()));
    }

    private static void find(Path path, Configuration conf, TreeMap<String, InputFile> into) {
        try {
            FileSystem fileSystem = FileSystems.of(path, conf);
            FileStatus[] found = fileSystem.globStatus(path);
            if (found == null || found.length == 0) {
                throw new JobException("input " + path + ": expected a file, directory or glob, got no file there");
            }
            for (FileStatus status : found) {
                add(fileSystem, status, into);
            }
        } catch (IOException e) {
            throw new JobException("input " + path + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    private static void add(FileSystem fileSystem, FileStatus status, TreeMap<String, InputFile> into)
            throws IOException {
        if (status.isFile()) {
            String name = status.getPath().toString();
            into.put(name, new InputFile(name, status.getLen(), status.getModificationTime()));
            return;
        }
        for (FileStatus entry : fileSystem.listStatus(status.getPath())) {
            String name = entry.getPath().getName();
            if (!name.startsWith("_") && !name.startsWith(".")) {
                add(fileSystem, entry, into);
            }
        }
    }

    /// The one format that all names tell.
    InputFormat format() {
        TreeSet<InputFormat> found = new TreeSet<>();
        List<String> untold = new ArrayList<>();
        for (InputFile file : files) {
            InputFormat.ofName(new Path(file.name()).getName())
                    .ifPresentOrElse(found::add, () -> untold.add(file.name()));
        }
        if (found.size() != 1) {
            throw new JobException("input: expected files of one format, got "
                    + (found.isEmpty()
                            ? "no name that tells: " + untold.stream().limit(3).toList()
                            : found)
                    + "; choose with --format");
        }
        return found.first();
    }
}
