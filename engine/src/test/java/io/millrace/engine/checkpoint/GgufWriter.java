package io.millrace.engine.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes GGUF files for tests. Keys and tensors are settings that a test may change; nothing is checked.
public final class GgufWriter {
    /// Integer becomes u32 (in lists i32), Long u64, Float f32, Double f64.
    public final Map<String, Object> metadata = new LinkedHashMap<>();

    public final Map<String, Tensor> tensors = new LinkedHashMap<>();
    public int magic = 0x46554747;
    public int version = 3;
    public int alignment = 32;

    /// @param type ggml's number
    /// @param shape outermost first
    @SuppressWarnings("ArrayRecordComponent") // test data
    public record Tensor(int type, List<Long> shape, byte[] data) {}

    /// Growing little-endian bytes.
    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        void put(ByteBuffer bytes) {
            out.writeBytes(bytes.array());
        }

        void int32(int value) {
            put(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value));
        }

        void int64(long value) {
            put(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value));
        }

        void text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            int64(bytes.length);
            out.writeBytes(bytes);
        }

        void pad(int alignment) {
            while (out.size() % alignment != 0) {
                out.write(0);
            }
        }
    }

    public Path write(Path file) {
        try {
            return Files.write(file, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The file.
    public byte[] bytes() {
        Bytes bytes = head();
        bytes.pad(alignment);
        for (Tensor tensor : tensors.values()) {
            bytes.out.writeBytes(tensor.data());
            bytes.pad(alignment);
        }
        return bytes.out.toByteArray();
    }

    /// All that stands before the tensors' bytes and their alignment.
    public int headBytes() {
        return head().out.size();
    }

    private Bytes head() {
        Bytes bytes = new Bytes();
        bytes.int32(magic);
        bytes.int32(version);
        bytes.int64(tensors.size());
        bytes.int64(metadata.size());
        metadata.forEach((key, value) -> {
            bytes.text(key);
            bytes.int32(type(value));
            value(bytes, value);
        });
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            List<Long> shape = entry.getValue().shape();
            bytes.text(entry.getKey());
            bytes.int32(shape.size());
            shape.reversed().forEach(bytes::int64);
            bytes.int32(entry.getValue().type());
            bytes.int64(offset);
            offset += Math.ceilDiv(entry.getValue().data().length, alignment) * (long) alignment;
        }
        return bytes;
    }

    private static int type(Object value) {
        return switch (value) {
            case Integer i -> 4;
            case Float f -> 6;
            case Boolean b -> 7;
            case String s -> 8;
            case List<?> l -> 9;
            case Long l -> 10;
            case Double d -> 12;
            default -> throw new IllegalArgumentException(value.toString());
        };
    }

    private static void value(Bytes bytes, Object value) {
        switch (value) {
            case Integer i -> bytes.int32(i);
            case Float f -> bytes.int32(Float.floatToRawIntBits(f));
            case Boolean b -> bytes.put(ByteBuffer.allocate(1).put((byte) (b ? 1 : 0)));
            case String s -> bytes.text(s);
            case Long l -> bytes.int64(l);
            case Double d -> bytes.int64(Double.doubleToRawLongBits(d));
            case List<?> list -> {
                int type = list.isEmpty() ? 5 : type(list.getFirst());
                bytes.int32(type == 4 ? 5 : type);
                bytes.int64(list.size());
                list.forEach(element -> value(bytes, element));
            }
            default -> throw new IllegalArgumentException(value.toString());
        }
    }
}
