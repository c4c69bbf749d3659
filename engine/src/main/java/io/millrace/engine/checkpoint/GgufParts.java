package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The files of one model in GGUF: one, or parts named `name-00001-of-0000N.gguf`.
///
/// @param name of the model: the files' without ending and number
/// @param files in order; the first one has the metadata
record GgufParts(String name, List<Path> files) {
    private static final String SUFFIX = ".gguf";
    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

    /// Whether a path is the name of a GGUF file.
    static boolean isNamed(Path path) {
        return SafetensorsFile.fileName(path).endsWith(SUFFIX);
    }

    /// Whether a folder has a file of that ending.
    static boolean areIn(Path dir) {
        return !list(dir).isEmpty();
    }

    /// The one model of a folder.
    ///
    /// @throws EngineException MODEL_UNREADABLE if there is none, more than one, or a part is missing
    static GgufParts in(Path dir) {
        TreeMap<String, Path> firstOfModel = new TreeMap<>();
        for (Path file : list(dir)) {
            firstOfModel.putIfAbsent(modelName(file), file);
        }
        if (firstOfModel.size() != 1) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    dir + ": expected one model in GGUF, got " + firstOfModel.size() + ": "
                            + Faults.join(firstOfModel.keySet()) + "; name the file to choose one");
        }
        return of(firstOfModel.firstEntry().getValue());
    }

    /// The model that a file is, or is a part of.
    static GgufParts of(Path file) {
        Matcher part = PART.matcher(SafetensorsFile.fileName(file));
        if (!part.matches()) {
            return new GgufParts(modelName(file), List.of(file));
        }
        int count = Integer.parseInt(part.group(3));
        List<Path> files = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            Path each = file.resolveSibling(
                    String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", part.group(1), number, count));
            files.add(each);
            if (!Files.exists(each)) {
                missing.add(SafetensorsFile.fileName(each));
            }
        }
        if (files.isEmpty() || !missing.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    file + ": expected " + count + " parts, missing: " + Faults.join(missing));
        }
        return new GgufParts(part.group(1), List.copyOf(files));
    }

    private static String modelName(Path file) {
        String name = SafetensorsFile.fileName(file);
        Matcher part = PART.matcher(name);
        return part.matches() ? part.group(1) : name.substring(0, name.length() - SUFFIX.length());
    }

    private static List<Path> list(Path dir) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir, GgufParts::isNamed)) {
            entries.forEach(files::add);
        } catch (IOException e) {
            throw SafetensorsFile.unreadable(dir, e);
        }
        files.sort(null);
        return files;
    }
}
