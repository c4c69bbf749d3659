package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Which weight files a folder has, by its index, else by their names.
///
/// @param files in name order
/// @param fileOfTensor the index's word on where each tensor is; empty without an index
record ShardList(List<Path> files, Map<String, String> fileOfTensor) {
    private static final String INDEX = "model.safetensors.index.json";
    private static final String SINGLE = "model.safetensors";
    private static final Pattern SHARD = Pattern.compile("model-(\\d{1,9})-of-(\\d{1,9})\\.safetensors");
    private static final int MAX_INDEX_BYTES = 256 << 20;

    /// Finds the weight files.
    ///
    /// @throws EngineException MODEL_UNREADABLE if there are none or some are missing, which it names
    static ShardList of(Path dir) {
        if (Files.exists(dir.resolve(INDEX))) {
            return fromIndex(dir);
        }
        if (Files.exists(dir.resolve(SINGLE))) {
            return new ShardList(List.of(dir.resolve(SINGLE)), Map.of());
        }
        return fromNames(dir);
    }

    /// Whether a folder has an index or a weight file of the names known here.
    static boolean areIn(Path dir) {
        return Files.exists(dir.resolve(INDEX))
                || Files.exists(dir.resolve(SINGLE))
                || !shards(dir).isEmpty();
    }

    private static ShardList fromIndex(Path dir) {
        Path index = dir.resolve(INDEX);
        JsonNode map = ModelConfigReader.readTree(index, MAX_INDEX_BYTES).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    index + ": weight_map: expected an object of tensor and file names, got "
                            + (map.isMissingNode() ? "nothing" : ConfigFields.shown(map)));
        }
        Map<String, String> fileOfTensor = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            fileOfTensor.put(entry.getKey(), fileName(index, entry.getKey(), entry.getValue()));
        }
        List<Path> files = new ArrayList<>();
        for (String file : new TreeSet<>(fileOfTensor.values())) {
            files.add(dir.resolve(file));
        }
        checkPresent(dir, files, INDEX);
        return new ShardList(List.copyOf(files), fileOfTensor);
    }

    /// A plain name within the folder: an index is no way to other places.
    private static String fileName(Path index, String tensor, JsonNode value) {
        String file = value.isTextual() ? value.textValue() : "";
        if (!file.endsWith(".safetensors") || !isPlainName(file)) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    index + ": " + tensor + ": expected the name of a .safetensors file in the same folder, got "
                            + ConfigFields.shown(value));
        }
        return file;
    }

    private static boolean isPlainName(String file) {
        try {
            return file.indexOf('/') < 0
                    && file.indexOf('\\') < 0
                    && Path.of(file).getNameCount() == 1;
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static ShardList fromNames(Path dir) {
        Map<String, Path> shards = shards(dir);
        if (shards.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    dir + ": expected " + INDEX + ", " + SINGLE + " or model-*.safetensors, got none of them");
        }
        checkPresent(dir, promised(dir, shards), "the names of the others");
        return new ShardList(List.copyOf(shards.values()), Map.of());
    }

    private static Map<String, Path> shards(Path dir) {
        Map<String, Path> shards = new TreeMap<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(dir, "model-*.safetensors")) {
            found.forEach(path -> shards.put(SafetensorsFile.fileName(path), path));
        } catch (IOException e) {
            throw SafetensorsFile.unreadable(dir, e);
        }
        return shards;
    }

    /// Every file that "-of-N" in a shard's name promises.
    private static List<Path> promised(Path dir, Map<String, Path> shards) {
        List<Path> promised = new ArrayList<>();
        Matcher last = SHARD.matcher(new ArrayList<>(shards.keySet()).getLast());
        // a count far beyond the files found is no count
        if (last.matches() && Integer.parseInt(last.group(2)) <= 100_000) {
            String width = "%0" + last.group(1).length() + "d";
            int count = Integer.parseInt(last.group(2));
            for (int shard = 1; shard <= count; shard++) {
                promised.add(dir.resolve(
                        "model-" + String.format(Locale.ROOT, width, shard) + "-of-" + last.group(2) + ".safetensors"));
            }
        }
        return promised;
    }

    /// Who copies a file gives it a longer name meanwhile: `.incomplete`, `.part`, `._COPYING_` behind it.
    private static String underWay(Path dir, String missing) {
        try (Stream<Path> files = Files.list(dir)) {
            return files.map(SafetensorsFile::fileName)
                    .filter(name -> name.contains(missing) && !name.equals(missing))
                    .sorted()
                    .findFirst()
                    .map(name -> ", still being copied as " + name)
                    .orElse("");
        } catch (IOException e) {
            throw SafetensorsFile.unreadable(dir, e);
        }
    }

    private static void checkPresent(Path dir, List<Path> files, String promisedBy) {
        List<String> missing = new ArrayList<>();
        for (Path file : files) {
            if (!Files.isRegularFile(file)) {
                missing.add(SafetensorsFile.fileName(file) + underWay(dir, SafetensorsFile.fileName(file)));
            }
        }
        if (!missing.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    dir + ": expected " + files.size() + " weight files by " + promisedBy + ", got "
                            + (files.size() - missing.size()) + "; missing: " + Faults.join(missing));
        }
    }
}
