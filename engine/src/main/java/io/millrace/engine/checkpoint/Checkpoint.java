package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A model folder, opened: its configuration read, its weight files mapped and their headers checked. {@link
/// WeightBinder} turns it into weights.
///
/// Thread-safe. Owns the mappings: once closed, every matrix bound from it is dead, and touching one throws
/// `IllegalStateException`; whoever closes it must have ended the work on it. The weight files must not be
/// cut short while it is open. Refuses folders whose configuration, index or files do not agree.
public final class Checkpoint implements AutoCloseable {
    private static final String CONFIG = "config.json";
    // bytes handed to the digest at a time
    private static final long DIGEST_CHUNK = 1 << 20;

    private final Path dir;
    private final StorageConfig config;
    private final List<Path> files;
    private final Map<String, StoredTensor> tensors;
    private final Arena arena;
    private @Nullable String weightsSha256;

    private Checkpoint(
            Path dir, StorageConfig config, List<Path> files, Map<String, StoredTensor> tensors, Arena arena) {
        this.dir = dir;
        this.config = config;
        this.files = files;
        this.tensors = tensors;
        this.arena = arena;
    }

    /// Opens a folder with config.json and safetensors in the form of DeepSeek's release or of Hugging Face.
    /// No weight is read; that the tensors fit the configuration is checked when they are bound.
    ///
    /// @throws EngineException MODEL_UNREADABLE if files are missing or not whole, MODEL_MISMATCH if one of
    ///     them is damaged or contradicts the others
    public static Checkpoint open(Path dir) {
        if (!Files.isDirectory(dir)) {
            throw new EngineException(ErrorCode.MODEL_UNREADABLE, dir + ": expected a model folder, got none");
        }
        StorageConfig config = ModelConfigReader.read(dir.resolve(CONFIG));
        ShardList shards = ShardList.of(dir);
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            Checkpoint checkpoint = new Checkpoint(dir, config, shards.files(), mapShards(shards, arena), arena);
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// What the model is.
    public LanguageModelConfig model() {
        return config.model();
    }

    /// What a DeepSeek-V4 is.
    ///
    /// @throws EngineException MODEL_MISMATCH if the folder holds a model of another architecture
    public ModelConfig config() {
        if (config.model() instanceof ModelConfig model) {
            return model;
        }
        throw new EngineException(
                ErrorCode.MODEL_MISMATCH,
                dir.resolve(CONFIG) + ": model_type: expected deepseek_v4, got "
                        + config.model().modelType());
    }

    /// The folder's name.
    public String name() {
        return SafetensorsFile.fileName(dir.toAbsolutePath().normalize());
    }

    /// The folder.
    public Path dir() {
        return dir;
    }

    /// Hex SHA-256 over config.json and the weight files: first the configuration, then the files in name
    /// order, each as its name in UTF-8, a zero byte, its length as 8 bytes big-endian, and its bytes.
    ///
    /// Computed at the first call, which reads every byte: instantly done for a model of megabytes, but
    /// minutes for one of hundreds of gigabytes, at the speed of the disk or of one core.
    public synchronized String weightsSha256() {
        String known = weightsSha256;
        if (known == null) {
            known = computeSha256();
            weightsSha256 = known;
        }
        return known;
    }

    /// Bytes of all stored tensors by element type, scales included. Packed FP4 counts as such.
    public Map<DType, Long> bytesByDtype() {
        Map<DType, Long> bytes = new EnumMap<>(DType.class);
        for (StoredTensor tensor : tensors.values()) {
            DType dtype = isPackedFp4(tensor) ? DType.FP4_E2M1 : tensor.type().dtype();
            if (dtype != null) {
                bytes.merge(dtype, tensor.data().byteSize(), Long::sum);
            }
        }
        return bytes;
    }

    /// How the matrices are stored: `fp8+fp4` (the release), `fp8`, `fp4`, or, if none is quantised,
    /// whichever of `bf16`, `f16` and `f32` most bytes are in.
    public String quantization() {
        Map<DType, Long> bytes = bytesByDtype();
        boolean fp8 = bytes.containsKey(DType.F8_E4M3);
        boolean fp4 = bytes.containsKey(DType.FP4_E2M1);
        if (fp8 || fp4) {
            return fp8 && fp4 ? "fp8+fp4" : fp8 ? "fp8" : "fp4";
        }
        long f32 = bytes.getOrDefault(DType.F32, 0L);
        long bf16 = bytes.getOrDefault(DType.BF16, 0L);
        long f16 = bytes.getOrDefault(DType.F16, 0L);
        return f32 >= bf16 && f32 >= f16 ? "f32" : bf16 >= f16 ? "bf16" : "f16";
    }

    /// Ends the mappings; closing again does nothing.
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /// The tensor of that name, or null.
    @Nullable
    StoredTensor tensor(String name) {
        return tensors.get(name);
    }

    /// All tensors, file by file in the order of their data.
    Collection<StoredTensor> tensors() {
        return tensors.values();
    }

    /// What the loader needs beside the model.
    StorageConfig storage() {
        return config;
    }

    /// Two four-bit codes a byte: the format has no name of its own in the release, but scales beside it.
    private boolean isPackedFp4(StoredTensor tensor) {
        return (tensor.type() == SafetensorsType.I8 || tensor.type() == SafetensorsType.U8)
                && TensorNames.scales(tensor.name()).stream().anyMatch(tensors::containsKey);
    }

    private static Map<String, StoredTensor> mapShards(ShardList shards, Arena arena) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Path file : shards.files()) {
            for (StoredTensor tensor : SafetensorsFile.map(file, arena)) {
                StoredTensor earlier = tensors.putIfAbsent(tensor.name(), tensor);
                if (earlier != null) {
                    throw new EngineException(
                            ErrorCode.MODEL_MISMATCH,
                            tensor.name() + ": expected in one file, got in " + earlier.file() + " and "
                                    + tensor.file());
                }
            }
        }
        checkIndex(shards.fileOfTensor(), tensors);
        return Collections.unmodifiableMap(tensors);
    }

    private static void checkIndex(Map<String, String> fileOfTensor, Map<String, StoredTensor> tensors) {
        Faults faults = new Faults();
        fileOfTensor.forEach((name, file) -> {
            StoredTensor tensor = tensors.get(name);
            if (tensor == null || !tensor.file().equals(file)) {
                faults.add(name + ": expected in " + file + ", got "
                        + (tensor == null ? "it in no file" : "it in " + tensor.file()));
            }
        });
        if (!faults.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    "model.safetensors.index.json: " + faults.size() + " tensors are not where it says: " + faults);
        }
    }

    private String computeSha256() {
        try (Arena reading = Arena.ofConfined()) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            update(digest, dir.resolve(CONFIG), reading);
            for (Path file : files) {
                update(digest, file, reading);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static void update(MessageDigest digest, Path path, Arena arena) {
        MemorySegment bytes = SafetensorsFile.mapFile(path, arena);
        digest.update(SafetensorsFile.fileName(path).getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
        for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            digest.update((byte) (bytes.byteSize() >>> shift));
        }
        for (long from = 0; from < bytes.byteSize(); from += DIGEST_CHUNK) {
            long length = Math.min(DIGEST_CHUNK, bytes.byteSize() - from);
            digest.update(bytes.asSlice(from, length).asByteBuffer());
        }
    }
}
