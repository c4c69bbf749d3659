package io.millrace.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Recorded tensors of a reference run: a safetensors file with F32, F64 and I64 entries, read whole.
/// Written apart from the engine's own reader, so that one cannot hide a fault of the other.
public final class GoldenTensors {
    private final JsonNode header;
    private final ByteBuffer data;

    private GoldenTensors(JsonNode header, ByteBuffer data) {
        this.header = header;
        this.data = data;
    }

    public static GoldenTensors read(Path file) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            byte[] json = new byte[Math.toIntExact(bytes.getLong())];
            bytes.get(json);
            JsonNode header = new ObjectMapper().readTree(new String(json, StandardCharsets.UTF_8));
            return new GoldenTensors(header, bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A folder of test resources.
    public static Path folder(String name) {
        return Path.of("src/test/resources/vectors").resolve(name);
    }

    public double[] doubles(String name) {
        JsonNode entry = header.get(name);
        int from = entry.get("data_offsets").get(0).asInt();
        int bytes = entry.get("data_offsets").get(1).asInt() - from;
        String dtype = entry.get("dtype").asText();
        int size = dtype.equals("F32") ? Float.BYTES : Double.BYTES;
        double[] values = new double[bytes / size];
        for (int i = 0; i < values.length; i++) {
            int at = from + i * size;
            values[i] = switch (dtype) {
                case "F32" -> data.getFloat(at);
                case "F64" -> data.getDouble(at);
                case "I64" -> data.getLong(at);
                default -> throw new IllegalArgumentException(name + ": " + dtype);
            };
        }
        return values;
    }

    public int[] ints(String name) {
        double[] values = doubles(name);
        int[] ints = new int[values.length];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = (int) values[i];
        }
        return ints;
    }
}
