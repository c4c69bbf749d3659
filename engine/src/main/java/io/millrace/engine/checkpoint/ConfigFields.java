package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Typed, bounded access to the keys of one JSON object. A key that is not as expected is written down and
/// answered with a value within bounds, so that all problems of a file can be told at once.
final class ConfigFields {
    private final JsonNode object;
    private final String prefix;
    private final List<String> problems;

    ConfigFields(JsonNode object) {
        this(object, "");
    }

    /// @param prefix what the keys are told with
    ConfigFields(JsonNode object, String prefix) {
        this(object, prefix, new ArrayList<>());
    }

    private ConfigFields(JsonNode object, String prefix, List<String> problems) {
        this.object = object;
        this.prefix = prefix;
        this.problems = problems;
    }

    /// What was found so far, here and in nested objects.
    List<String> problems() {
        return problems;
    }

    void problem(String key, String expected, Object got) {
        problems.add(prefix + key + ": expected " + expected + ", got " + got);
    }

    /// Whether the key is there with a value other than null.
    boolean has(String key) {
        return object.hasNonNull(key);
    }

    /// The value, or null if the key is absent or its value null.
    @Nullable
    JsonNode node(String key) {
        return object.hasNonNull(key) ? object.get(key) : null;
    }

    /// The object under a key, or null if there is none.
    @Nullable
    ConfigFields object(String key) {
        JsonNode node = node(key);
        if (node == null) {
            return null;
        }
        if (!node.isObject()) {
            problem(key, "an object", shown(node));
            return null;
        }
        return new ConfigFields(node, prefix + key + ".", problems);
    }

    int requiredInt(String key, int min, int max) {
        JsonNode node = node(key);
        if (node == null) {
            problem(key, bounds(min, max), "nothing");
            return min;
        }
        return intOf(key, node, min, max);
    }

    int optionalInt(String key, int absent, int min, int max) {
        JsonNode node = node(key);
        return node == null ? absent : intOf(key, node, min, max);
    }

    double requiredDouble(String key, double min, double max) {
        JsonNode node = node(key);
        if (node == null) {
            problem(key, bounds(min, max), "nothing");
            return min;
        }
        return doubleOf(key, node, min, max);
    }

    double optionalDouble(String key, double absent, double min, double max) {
        JsonNode node = node(key);
        return node == null ? absent : doubleOf(key, node, min, max);
    }

    boolean optionalBoolean(String key, boolean absent) {
        JsonNode node = node(key);
        if (node == null || node.isBoolean()) {
            return node == null ? absent : node.booleanValue();
        }
        problem(key, "true or false", shown(node));
        return absent;
    }

    /// The text under a key, or null if there is none.
    @Nullable
    String text(String key) {
        JsonNode node = node(key);
        if (node == null || node.isTextual()) {
            return node == null ? null : node.textValue();
        }
        problem(key, "a string", shown(node));
        return null;
    }

    /// Writes a problem down unless the key is absent or has this value.
    void mustBeIfPresent(String key, Object value) {
        JsonNode node = node(key);
        if (node != null && !node.asText().equals(value.toString())) {
            problem(key, value.toString(), shown(node));
        }
    }

    int intOf(String key, JsonNode node, int min, int max) {
        if (node.isIntegralNumber() && node.canConvertToInt() && node.intValue() >= min && node.intValue() <= max) {
            return node.intValue();
        }
        problem(key, bounds(min, max), shown(node));
        return min;
    }

    private double doubleOf(String key, JsonNode node, double min, double max) {
        double value = node.isNumber() ? node.doubleValue() : Double.NaN;
        if (value >= min && value <= max) {
            return value;
        }
        problem(key, bounds(min, max), shown(node));
        return min;
    }

    static String shown(JsonNode node) {
        String text = node.toString();
        return text.length() > 80 ? text.substring(0, 80) + "..." : text;
    }

    private static String bounds(Number min, Number max) {
        return "a number from " + min + " to " + max;
    }
}
