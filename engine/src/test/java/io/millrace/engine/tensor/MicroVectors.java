package io.millrace.engine.tensor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// The operation-level golden values of vectors/micro.json.
public final class MicroVectors {
    private static final JsonNode ROOT = read();

    private MicroVectors() {}

    /// The vectors of one operation.
    public static JsonNode of(String operation) {
        JsonNode node = ROOT.get(operation);
        if (node == null) {
            throw new IllegalArgumentException("micro.json has no " + operation);
        }
        return node;
    }

    /// A list of numbers as floats, null as NaN.
    public static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).isNull() ? Float.NaN : (float) list.get(i).doubleValue();
        }
        return values;
    }

    private static JsonNode read() {
        try (InputStream in = MicroVectors.class.getResourceAsStream("/vectors/micro.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
