package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A model's files, opened: configuration read, weight files mapped and their headers checked. {@link
/// WeightBinder} and {@link DecoderBinder} turn those of known architectures into weights; for others {@link
/// #architecture}, {@link #source} and {@link #metadata} are what a binder needs.
///
/// Thread-safe. Owns the mappings: once closed, every matrix bound from it is dead, and touching one throws
/// `IllegalStateException`; whoever closes it must have ended the work on it. The weight files must not be
/// cut short while it is open. Refuses models whose configuration, index or files do not agree.
public final class Checkpoint implements AutoCloseable {
    private static final String CONFIG = "config.json";
    private static final String MODEL_TYPES = ModelConfigReader.MODEL_TYPE + ", qwen3_moe, qwen3 or llama";
    private static final String ARCHITECTURES = GgufConfigReader.ARCHITECTURE + ", qwen3moe, qwen3 or llama";
    // bytes handed to the digest at a time
    private static final long DIGEST_CHUNK = 1 << 20;

    private final Path path;
    private final Content content;
    private final Arena arena;
    private @Nullable String weightsSha256;

    private Checkpoint(Path path, Content content, Arena arena) {
        this.path = path;
        this.content = content;
        this.arena = arena;
    }

    /// What was found.
    ///
    /// @param config of the architectures that are known here, else null
    /// @param metadata of a model in GGUF
    /// @param files all that makes the model, in the order of its digest
    private record Content(
            String name,
            String architecture,
            @Nullable StorageConfig config,
            @Nullable GgufMetadata metadata,
            List<Path> files,
            Map<String, StoredTensor> tensors) {}

    /// Opens a folder with config.json and safetensors in the form of DeepSeek's release or of Hugging Face,
    /// a GGUF file, or a folder whose only model is in GGUF; of a model in parts, any part. No weight is
    /// read; that the tensors fit the configuration is checked when they are bound.
    ///
    /// A folder with safetensors is the model these make, whatever else is there.
    ///
    /// @throws EngineException MODEL_UNREADABLE if files are missing or not whole, MODEL_MISMATCH if one of
    ///     them is damaged or contradicts the others
    public static Checkpoint open(Path path) {
        boolean folder = Files.isDirectory(path);
        if (!folder && !(GgufParts.isNamed(path) && Files.exists(path))) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE, path + ": expected a model folder, got none, nor a .gguf file");
        }
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            Content content;
            if (!folder) {
                content = gguf(GgufParts.of(path), arena);
            } else if (!ShardList.areIn(path) && GgufParts.areIn(path)) {
                content = gguf(GgufParts.in(path), arena);
            } else {
                content = safetensors(path, arena);
            }
            opened = true;
            return new Checkpoint(path, content, arena);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static Content safetensors(Path dir, Arena arena) {
        Path configFile = dir.resolve(CONFIG);
        JsonNode root = ModelConfigReader.readRoot(configFile);
        String architecture = root.path(ModelConfigReader.TYPE_KEY).asText();
        StorageConfig config = ModelConfigReader.read(configFile, root);
        ShardList shards = ShardList.of(dir);
        List<Path> files = new ArrayList<>(List.of(configFile));
        files.addAll(shards.files());
        String name = SafetensorsFile.fileName(dir.toAbsolutePath().normalize());
        return new Content(name, architecture, config, null, List.copyOf(files), mapShards(shards, arena));
    }

    private static Content gguf(GgufParts parts, Arena arena) {
        GgufMetadata metadata = null;
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Path file : parts.files()) {
            GgufFile part = GgufFile.map(file, arena);
            metadata = metadata == null ? part.metadata() : metadata;
            addAll(tensors, part.tensors());
        }
        if (metadata == null) {
            throw new IllegalStateException("a model has at least one part");
        }
        checkParts(metadata, parts.files().size(), tensors.size());
        String architecture = metadata.requiredText(GgufMetadata.ARCHITECTURE);
        StorageConfig config = config(metadata, tensors);
        return new Content(
                parts.name(), architecture, config, metadata, parts.files(), Collections.unmodifiableMap(tensors));
    }

    private static @Nullable StorageConfig config(GgufMetadata metadata, Map<String, StoredTensor> tensors) {
        return switch (metadata.requiredText(GgufMetadata.ARCHITECTURE)) {
            case GgufConfigReader.ARCHITECTURE -> GgufConfigReader.read(metadata, tensors::containsKey);
            case "qwen3moe", "qwen3", "llama" -> GgufDecoder.read(metadata, tensors);
            default -> null;
        };
    }

    private static void checkParts(GgufMetadata metadata, int files, int tensors) {
        long parts = metadata.integer("split.count").orElse(1);
        // a model that was never split may say 0
        if (Math.max(parts, 1) != files) {
            throw metadata.mismatch("split.count", files + ", as the file's name has it", Long.toString(parts));
        }
        long count = metadata.integer("split.tensors.count").orElse(tensors);
        if (count != tensors) {
            throw metadata.mismatch("split.tensors.count", "as many tensors as all parts have, " + tensors, count + "");
        }
    }

    /// The architecture's name: `general.architecture` of GGUF, `model_type` of a config.json. The two name
    /// the same model differently (`deepseek4`, `deepseek_v4`).
    public String architecture() {
        return content.architecture;
    }

    /// What the model is.
    ///
    /// @throws EngineException MODEL_MISMATCH if it is of an architecture that is not known here
    public LanguageModelConfig model() {
        if (content.config == null) {
            throw mismatch(gguf() ? ARCHITECTURES : MODEL_TYPES);
        }
        return content.config.model();
    }

    /// What the model is, if it is of the DeepSeek-V4 family.
    ///
    /// @throws EngineException MODEL_MISMATCH for any other architecture
    public ModelConfig config() {
        if (content.config != null && content.config.model() instanceof ModelConfig model) {
            return model;
        }
        throw mismatch(gguf() ? GgufConfigReader.ARCHITECTURE : ModelConfigReader.MODEL_TYPE);
    }

    private EngineException mismatch(String architectures) {
        return new EngineException(
                ErrorCode.MODEL_MISMATCH,
                (gguf()
                                ? path + ": " + GgufMetadata.ARCHITECTURE
                                : path.resolve(CONFIG) + ": " + ModelConfigReader.TYPE_KEY)
                        + ": expected " + architectures + ", got " + SafetensorsHeader.quote(content.architecture));
    }

    private boolean gguf() {
        return content.metadata != null;
    }

    /// The metadata of a model in GGUF, null for one in safetensors.
    public @Nullable GgufMetadata metadata() {
        return content.metadata;
    }

    /// A new view of the tensors, for binding them.
    public TensorSource source() {
        return new TensorSource(this);
    }

    /// The folder's name, or that of the GGUF file without its ending and part number.
    public String name() {
        return content.name;
    }

    /// The folder or file that was opened.
    public Path path() {
        return path;
    }

    /// Where the configuration stands, for messages.
    String configName() {
        return content.metadata == null ? CONFIG : "the metadata";
    }

    /// Hex SHA-256 over config.json, if there is one, and the weight files: first the configuration, then the
    /// files in name order, each as its name in UTF-8, a zero byte, its length as 8 bytes big-endian, and
    /// its bytes.
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
        for (StoredTensor tensor : content.tensors.values()) {
            DType dtype = isPackedFp4(tensor) ? DType.FP4_E2M1 : tensor.type().dtype();
            if (dtype != null) {
                bytes.merge(dtype, tensor.data().byteSize(), Long::sum);
            }
        }
        return bytes;
    }

    /// How the matrices are stored: `fp8+fp4` (the release), `fp8`, `fp4`, or, if none is quantised,
    /// whichever of `bf16`, `f16` and `f32` most bytes are in. In GGUF the type that most bytes are in, such
    /// as `q4_k`.
    public String quantization() {
        return content.metadata == null ? releaseQuantization() : ggufQuantization();
    }

    private String ggufQuantization() {
        Map<String, Long> bytes = new TreeMap<>();
        for (StoredTensor tensor : tensors()) {
            bytes.merge(tensor.type().name(), tensor.data().byteSize(), Long::sum);
        }
        return bytes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(most -> most.getKey().toLowerCase(Locale.ROOT))
                .orElse("none");
    }

    private String releaseQuantization() {
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
        return content.tensors.get(name);
    }

    /// All tensors, file by file in the order of their data.
    Collection<StoredTensor> tensors() {
        return content.tensors.values();
    }

    /// Whether the output head may be missing because the embedding stands in for it.
    boolean tieWordEmbeddings() {
        return content.config != null && content.config.tieWordEmbeddings();
    }

    /// Rows that share a scale in FP8 matrices.
    int fp8BlockRows() {
        return content.config == null ? ModelConfigReader.DEFAULT_BLOCK : content.config.blockRows();
    }

    /// Columns that share a scale in FP8 matrices.
    int fp8BlockCols() {
        return content.config == null ? ModelConfigReader.DEFAULT_BLOCK : content.config.blockCols();
    }

    /// Two four-bit codes a byte: the format has no name of its own in the release, but scales beside it.
    private boolean isPackedFp4(StoredTensor tensor) {
        return (tensor.type() == SafetensorsType.I8 || tensor.type() == SafetensorsType.U8)
                && TensorNames.scales(tensor.name()).stream().anyMatch(content.tensors::containsKey);
    }

    private static Map<String, StoredTensor> mapShards(ShardList shards, Arena arena) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Path file : shards.files()) {
            addAll(tensors, SafetensorsFile.map(file, arena));
        }
        checkIndex(shards.fileOfTensor(), tensors);
        return Collections.unmodifiableMap(tensors);
    }

    private static void addAll(Map<String, StoredTensor> tensors, List<StoredTensor> more) {
        for (StoredTensor tensor : more) {
            StoredTensor earlier = tensors.putIfAbsent(tensor.name(), tensor);
            if (earlier != null) {
                throw new EngineException(
                        ErrorCode.MODEL_MISMATCH,
                        tensor.name() + ": expected in one file, got in " + earlier.file() + " and " + tensor.file());
            }
        }
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
            for (Path file : content.files) {
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
