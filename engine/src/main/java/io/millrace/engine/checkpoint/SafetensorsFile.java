package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// One safetensors file, mapped read-only: eight bytes header length, a JSON header, the tensors' bytes.
///
/// The mapping lives as long as the arena it was made in. It must not be cut short while it is mapped: the
/// operating system answers reads behind a file's end with a fault that the JVM turns into an
/// `InternalError` at best.
final class SafetensorsFile {
    /// The format's own bound, which keeps a damaged length from being taken for an allocation.
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int LENGTH_BYTES = Long.BYTES;
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private SafetensorsFile() {}

    /// Maps a file and reads its header.
    ///
    /// @param arena what the mapping lives in; shared between threads
    /// @return the file's tensors in the order of their data
    /// @throws EngineException MODEL_UNREADABLE if the file cannot be read or is not yet whole,
    ///     MODEL_MISMATCH if it breaks the format
    static List<StoredTensor> map(Path path, Arena arena) {
        String file = fileName(path);
        MemorySegment mapped = mapFile(path, arena);
        long headerBytes = headerBytes(file, mapped);
        byte[] header = mapped.asSlice(LENGTH_BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE);
        List<SafetensorsHeader.Entry> entries = SafetensorsHeader.parse(file, header);
        MemorySegment data = mapped.asSlice(LENGTH_BYTES + headerBytes);
        checkSize(
                file, data.byteSize(), entries.isEmpty() ? 0 : entries.getLast().end());
        List<StoredTensor> tensors = new ArrayList<>(entries.size());
        for (SafetensorsHeader.Entry entry : entries) {
            MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
            tensors.add(new StoredTensor(entry.name(), entry.type(), entry.shape(), bytes, file));
        }
        return tensors;
    }

    /// The whole file as a read-only segment.
    static MemorySegment mapFile(Path path, Arena arena) {
        // a pending interrupt would close the channel while it is opened; it is for others to see
        boolean interrupted = Thread.interrupted();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (ClosedByInterruptException e) {
            throw new EngineException(ErrorCode.MODEL_UNREADABLE, path + ": interrupted while it was opened", e);
        } catch (IOException e) {
            throw unreadable(path, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    static EngineException unreadable(Path path, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new EngineException(ErrorCode.MODEL_UNREADABLE, path + ": expected a file, got nothing", e);
        }
        String got = Files.isDirectory(path) ? "a folder" : e.toString();
        return new EngineException(ErrorCode.MODEL_UNREADABLE, path + ": expected a readable file, got " + got, e);
    }

    static String fileName(Path path) {
        Path name = path.getFileName();
        return name == null ? path.toString() : name.toString();
    }

    private static long headerBytes(String file, MemorySegment mapped) {
        if (mapped.byteSize() < LENGTH_BYTES) {
            throw incomplete(file, "at least " + LENGTH_BYTES, mapped.byteSize());
        }
        long headerBytes = mapped.get(LENGTH, 0);
        if (headerBytes == 0) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    file + ": expected the length of a header at offset 0, got zeros: still being copied, or it never"
                            + " was");
        }
        if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    file + ": expected a header of 2 to " + MAX_HEADER_BYTES + " bytes, got a length of "
                            + Long.toUnsignedString(headerBytes) + "; is it a safetensors file?");
        }
        if (headerBytes > mapped.byteSize() - LENGTH_BYTES) {
            throw incomplete(file, LENGTH_BYTES + headerBytes + " for the header alone", mapped.byteSize());
        }
        return headerBytes;
    }

    private static void checkSize(String file, long dataBytes, long promised) {
        if (dataBytes < promised) {
            throw incomplete(file, promised + " of tensors", dataBytes);
        }
        if (dataBytes > promised) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    file + ": expected " + promised + " bytes of tensors, got " + dataBytes
                            + ": the header does not speak of the rest");
        }
    }

    private static EngineException incomplete(String file, String expected, long got) {
        return new EngineException(
                ErrorCode.MODEL_UNREADABLE,
                file + ": expected " + expected + " bytes, got " + got + ": truncated, or still being copied");
    }
}
