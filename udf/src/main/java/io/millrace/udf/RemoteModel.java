package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/// The files of a model on a file system that is not the host's own.
///
/// @param path of the folder, or of the GGUF file or its first part
/// @param isFile whether the path is that of a file
/// @param files those of the folder itself, or of the GGUF file with its other parts, in name order
record RemoteModel(Path path, FileSystem fileSystem, boolean isFile, List<FileStatus> files) {
    private static final Pattern PART = Pattern.compile("(.+-)\\d{5}(-of-\\d{5}\\.gguf)");
    /// What those who copy put behind the name of a file that is not whole.
    private static final Pattern UNDER_WAY = Pattern.compile(".+\\.(_COPYING_|incomplete|part|tmp)");
    /// The Hub's `models--NAME/snapshots/REVISION`: the model's name and revision are known by them.
    private static final int NAMES_KEPT = 3;

    /// @throws EngineException MODEL_UNREADABLE if there is none, or it cannot be read, or it is still being copied
    ///     to where it is
    static RemoteModel find(Path path, Configuration hadoop) {
        try {
            FileSystem fileSystem = path.getFileSystem(hadoop);
            boolean isFile = fileSystem.getFileStatus(path).isFile();
            List<FileStatus> files = new ArrayList<>();
            for (FileStatus file : fileSystem.listStatus(isFile ? path.getParent() : path)) {
                String name = file.getPath().getName();
                if (file.isFile() && !name.startsWith(".") && (!isFile || belongs(name, path.getName()))) {
                    files.add(file);
                }
            }
            requireWhole(path, files);
            files.sort(null);
            return new RemoteModel(path, fileSystem, isFile, List.copyOf(files));
        } catch (FileNotFoundException e) {
            throw unreadable(path, "a model, got nothing there", e);
        } catch (IOException e) {
            throw unreadable(path, "to be readable, got " + e, e);
        }
    }

    private static void requireWhole(Path path, List<FileStatus> files) {
        if (files.isEmpty()) {
            throw unreadable(path, "the files of a model, got an empty folder", null);
        }
        for (FileStatus file : files) {
            String name = file.getPath().getName();
            if (UNDER_WAY.matcher(name).matches()) {
                throw unreadable(path, "whole files, got " + name + ": still being copied", null);
            }
        }
    }

    private static boolean belongs(String name, String model) {
        Matcher part = PART.matcher(model);
        Matcher other = PART.matcher(name);
        return (part.matches() && other.matches())
                ? part.group(1).equals(other.group(1)) && part.group(2).equals(other.group(2))
                : name.equals(model);
    }

    static EngineException unreadable(Path path, String expected, @Nullable Throwable cause) {
        return new EngineException(ErrorCode.MODEL_UNREADABLE, path + ": expected " + expected, cause);
    }

    long bytes() {
        return files.stream().mapToLong(FileStatus::getLen).sum();
    }

    /// Another one for every other path and for every change of a file that its length or time shows.
    String id() {
        StringBuilder text = new StringBuilder(path.toString());
        for (FileStatus file : files) {
            text.append('\n').append(file.getPath().getName());
            text.append('\n').append(file.getLen());
            text.append('\n').append(file.getModificationTime());
        }
        return RowIdentity.sha256Hex(text.toString()).substring(0, 32);
    }

    /// The last names of the folder's path.
    java.nio.file.Path folderName() {
        Path folder = isFile ? path.getParent() : path;
        List<String> names = Arrays.stream(folder.toUri().getPath().split("/"))
                .filter(name -> !name.isEmpty())
                .toList();
        java.nio.file.Path kept = java.nio.file.Path.of("");
        for (String name : names.subList(Math.max(0, names.size() - NAMES_KEPT), names.size())) {
            kept = kept.resolve(name);
        }
        return kept;
    }
}
