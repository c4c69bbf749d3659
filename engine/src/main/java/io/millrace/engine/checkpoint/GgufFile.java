package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One GGUF file of version 2 or 3 (little-endian), mapped read-only: metadata, a directory of tensors, and
/// behind an aligned gap the tensors' bytes. The same care is due as for a {@link SafetensorsFile}: the
/// mapping lives as long as its arena, and the file must not be cut short meanwhile.
///
/// @param tensors in the order of their data
record GgufFile(GgufMetadata metadata, List<StoredTensor> tensors) {
    private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    private static final String ALIGNMENT = "general.alignment";
    private static final long DEFAULT_ALIGNMENT = 32;
    private static final long MAX_ALIGNMENT = 1 << 20;
    private static final int MAX_DIMENSIONS = 4;
    // a length, a type and a byte; a length, a count of dimensions, one of them, a type and an offset
    private static final int LEAST_ENTRY_BYTES = 13;
    private static final int LEAST_TENSOR_BYTES = 32;

    GgufFile {
        tensors = List.copyOf(tensors);
    }

    /// One line of the directory.
    ///
    /// @param shape outermost first
    /// @param offset in the data part, in bytes
    private record Entry(String name, GgufType type, List<Long> shape, long offset, long byteSize) {}

    /// Maps a file and reads its head.
    ///
    /// @param arena what the mapping lives in; shared between threads
    /// @throws EngineException MODEL_UNREADABLE if the file cannot be read or is not yet whole,
    ///     MODEL_MISMATCH if it breaks the format
    static GgufFile map(Path path, Arena arena) {
        String file = SafetensorsFile.fileName(path);
        MemorySegment mapped = SafetensorsFile.mapFile(path, arena);
        GgufCursor cursor = new GgufCursor(file, mapped);
        checkMagic(cursor);
        int tensorCount = cursor.count("tensor count", LEAST_TENSOR_BYTES);
        GgufMetadata metadata = metadata(file, cursor);
        long alignment = alignment(metadata);
        List<Entry> entries = entries(cursor, tensorCount, alignment);
        // a file of metadata alone need not be padded
        long start = Math.min(Math.ceilDiv(cursor.position(), alignment) * alignment, mapped.byteSize());
        return new GgufFile(metadata, tensors(file, entries, mapped.asSlice(start)));
    }

    private static void checkMagic(GgufCursor cursor) {
        int magic = cursor.u32("magic");
        if (magic == 0) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    cursor.file() + ": expected the four letters GGUF at offset 0, got zeros: still being copied, or it"
                            + " never was");
        }
        if (magic != MAGIC) {
            throw cursor.fault("expected the four letters GGUF, got bytes "
                    + HexFormat.of().toHexDigits(magic) + " (last one first); is it a GGUF file?");
        }
        int version = cursor.u32("version");
        if (version != 2 && version != 3) {
            boolean bigEndian = (version & 0xFFFF) == 0;
            throw cursor.fault("version: expected 2 or 3, got "
                    + (bigEndian
                            ? Integer.reverseBytes(version) + " in big-endian order, which is not read here"
                            : Integer.toUnsignedString(version)));
        }
    }

    private static GgufMetadata metadata(String file, GgufCursor cursor) {
        int count = cursor.count("metadata count", LEAST_ENTRY_BYTES);
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String key = cursor.text("key " + i + " of " + count);
            if (values.putIfAbsent(key, cursor.value(key)) != null) {
                throw cursor.fault(key + ": expected once, got twice");
            }
        }
        return new GgufMetadata(file, values);
    }

    private static long alignment(GgufMetadata metadata) {
        long alignment = metadata.integer(ALIGNMENT).orElse(DEFAULT_ALIGNMENT);
        if (alignment < 1 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
            throw metadata.mismatch(ALIGNMENT, "a power of two up to " + MAX_ALIGNMENT, Long.toString(alignment));
        }
        return alignment;
    }

    private static List<Entry> entries(GgufCursor cursor, int count, long alignment) {
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            String name = cursor.text("tensor " + i + " of " + count);
            if (!names.add(name)) {
                throw cursor.fault(name + ": expected once, got twice");
            }
            entries.add(entry(cursor, name, alignment));
        }
        return entries;
    }

    private static Entry entry(GgufCursor cursor, String name, long alignment) {
        List<Long> shape = shape(cursor, name);
        int number = cursor.u32(name + ": type");
        GgufType type = GgufType.of(number);
        if (type == null) {
            throw cursor.fault(
                    name + ": expected a type that is known here, got number " + Integer.toUnsignedString(number));
        }
        long offset = cursor.u64(name + ": offset");
        if (offset < 0 || offset % alignment != 0) {
            throw cursor.fault(
                    name + ": offset: expected a multiple of " + alignment + ", got " + Long.toUnsignedString(offset));
        }
        return new Entry(name, type, shape, offset, byteSize(cursor, name, type, shape));
    }

    private static List<Long> shape(GgufCursor cursor, String name) {
        int dimensions = cursor.u32(name + ": dimensions");
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw cursor.fault(name + ": expected 1 to " + MAX_DIMENSIONS + " dimensions, got "
                    + Integer.toUnsignedString(dimensions));
        }
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < dimensions; i++) {
            long extent = cursor.u64(name + ": shape");
            if (extent < 1) {
                throw cursor.fault(name + ": shape: expected positive numbers, got " + Long.toUnsignedString(extent));
            }
            shape.add(extent);
        }
        // the file has the fastest one first
        Collections.reverse(shape);
        return List.copyOf(shape);
    }

    private static long byteSize(GgufCursor cursor, String name, GgufType type, List<Long> shape) {
        if (shape.getLast() % type.blockElements() != 0) {
            throw cursor.fault(name + ": expected rows of a multiple of " + type.blockElements() + " elements, got "
                    + type + " " + shape);
        }
        long bytes = shape.getLast() / type.blockElements();
        List<Long> factors = new ArrayList<>(shape.subList(0, shape.size() - 1));
        factors.add((long) type.blockBytes());
        for (long factor : factors) {
            if (factor > Long.MAX_VALUE / bytes) {
                throw cursor.fault(name + ": expected a shape of less than 2^63 bytes, got " + type + " " + shape);
            }
            bytes *= factor;
        }
        return bytes;
    }

    private static List<StoredTensor> tensors(String file, List<Entry> entries, MemorySegment data) {
        entries.sort(Comparator.comparingLong(Entry::offset));
        List<StoredTensor> tensors = new ArrayList<>(entries.size());
        long end = 0;
        for (Entry entry : entries) {
            if (entry.offset() < end) {
                throw new EngineException(
                        ErrorCode.MODEL_MISMATCH,
                        file + ": " + entry.name() + ": overlaps the tensor before it: expected an offset from " + end
                                + ", got " + entry.offset());
            }
            if (entry.byteSize() > data.byteSize() - entry.offset()) {
                throw new EngineException(
                        ErrorCode.MODEL_UNREADABLE,
                        file + ": " + entry.name() + ": expected " + entry.byteSize() + " bytes at offset "
                                + entry.offset() + " of the data, got " + data.byteSize()
                                + " bytes of data: truncated, or still being copied");
            }
            end = entry.offset() + entry.byteSize();
            MemorySegment bytes = data.asSlice(entry.offset(), entry.byteSize());
            tensors.add(new StoredTensor(entry.name(), entry.type(), entry.shape(), bytes, file));
        }
        return tensors;
    }
}
