package io.millrace.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/// The operation-level golden values of `vectors/micro.json`.
public final class MicroVectors {
    private static final JsonNode ROOT = read();

    private MicroVectors() {}

    private static JsonNode read() {
        try (InputStream in = Objects.requireNonNull(MicroVectors.class.getResourceAsStream("/vectors/micro.json"))) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /// The vectors of one operation.
    public static JsonNode at(String operation) {
        return Objects.requireNonNull(ROOT.get(operation), "micro.json has no " + operation);
    }

    public static float[] floats(String operation, String field) {
        return floats(at(operation).get(field));
    }

    /// A list of numbers as floats, null as NaN.
    public static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).isNull() ? Float.NaN : (float) list.get(i).doubleValue();
        }
        return values;
    }
}
