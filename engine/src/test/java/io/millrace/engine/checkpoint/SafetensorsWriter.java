package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.tensor.Bf16;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Writes safetensors files for tests.
public final class SafetensorsWriter {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SafetensorsWriter() {}

    /// A tensor to be written.
    ///
    /// @param dtype the header's word for the element type; not checked
    /// @param shape outermost first
    /// @param data little-endian
    @SuppressWarnings("ArrayRecordComponent") // test data
    public record Tensor(String dtype, long[] shape, byte[] data) {
        public static Tensor f32(float[] values, long... shape) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                bytes.putFloat(value);
            }
            return new Tensor("F32", shape, bytes.array());
        }

        public static Tensor bf16(float[] values, long... shape) {
            ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                bytes.putShort(Bf16.encode(value));
            }
            return new Tensor("BF16", shape, bytes.array());
        }

        public static Tensor i64(long[] values, long... shape) {
            ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            for (long value : values) {
                bytes.putLong(value);
            }
            return new Tensor("I64", shape, bytes.array());
        }

        public Tensor withShape(long... newShape) {
            return new Tensor(dtype, newShape, data);
        }

        public Tensor withDtype(String newDtype) {
            return new Tensor(newDtype, shape, data);
        }
    }

    /// Writes tensors one behind the other, in the map's order.
    public static void write(Path file, Map<String, Tensor> tensors) {
        ObjectNode header = header(tensors);
        int length = tensors.values().stream()
                .mapToInt(tensor -> tensor.data().length)
                .sum();
        ByteBuffer data = ByteBuffer.allocate(length);
        tensors.values().forEach(tensor -> data.put(tensor.data()));
        write(file, header.toString(), data.array());
    }

    /// The header of tensors one behind the other.
    public static ObjectNode header(Map<String, Tensor> tensors) {
        ObjectNode header = JSON.createObjectNode();
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            ObjectNode line = header.putObject(entry.getKey());
            line.put("dtype", entry.getValue().dtype());
            ArrayNode shape = line.putArray("shape");
            for (long extent : entry.getValue().shape()) {
                shape.add(extent);
            }
            line.putArray("data_offsets")
                    .add(offset)
                    .add(offset + entry.getValue().data().length);
            offset += entry.getValue().data().length;
        }
        return header;
    }

    /// Writes a file of any header and data.
    public static void write(Path file, String header, byte[] data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(text.length).put(text).put(data);
        try {
            Files.write(file, bytes.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
