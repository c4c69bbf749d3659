package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The typed keys and values of a GGUF file. Immutable.
///
/// Every accessor throws `MODEL_MISMATCH`, with file, key, expected and got, for a value of another type; a
/// key that is absent is no fault of its own.
public final class GgufMetadata {
    /// Names the architecture; its value is also the prefix of the architecture's keys.
    public static final String ARCHITECTURE = "general.architecture";

    private final String file;
    // Long, BigInteger, Double, Boolean, String, or a List of those
    private final Map<String, Object> values;

    GgufMetadata(String file, Map<String, Object> values) {
        this.file = file;
        this.values = Collections.unmodifiableMap(values);
    }

    /// The file's name, for messages.
    public String file() {
        return file;
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    /// A text, or null if the key is absent.
    public @Nullable String text(String key) {
        Object value = values.get(key);
        return value == null ? null : as(String.class, key, value, "a text");
    }

    /// A text that has to be there.
    public String requiredText(String key) {
        String text = text(key);
        if (text == null) {
            throw mismatch(key, "a text", "nothing");
        }
        return text;
    }

    /// A whole number of any width.
    public OptionalLong integer(String key) {
        Object value = values.get(key);
        return value == null ? OptionalLong.empty() : OptionalLong.of(as(Long.class, key, value, "a whole number"));
    }

    /// A number, or null if the key is absent.
    @Nullable
    Number number(String key) {
        Object value = values.get(key);
        return value == null ? null : as(Number.class, key, value, "a number");
    }

    /// A truth value, `absent` without the key.
    public boolean flag(String key, boolean absent) {
        Object value = values.get(key);
        return value == null ? absent : as(Boolean.class, key, value, "true or false");
    }

    /// An array of texts, empty without the key.
    public List<String> texts(String key) {
        return list(key, String.class, "an array of texts");
    }

    /// An array of whole numbers, empty without the key.
    public List<Long> integers(String key) {
        return list(key, Long.class, "an array of whole numbers");
    }

    /// The keys behind a prefix, for bounded reading; problems are told with the whole key.
    ConfigFields fields(String prefix) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        values.forEach((key, value) -> {
            if (key.startsWith(prefix)) {
                put(object, key.substring(prefix.length()), value);
            }
        });
        return new ConfigFields(object, prefix);
    }

    EngineException mismatch(String key, String expected, String got) {
        return new EngineException(
                ErrorCode.MODEL_MISMATCH, file + ": " + key + ": expected " + expected + ", got " + got);
    }

    private static void put(ObjectNode object, String key, Object value) {
        if (value instanceof List<?> list) {
            ArrayNode array = object.putArray(key);
            list.forEach(element -> array.add(scalar(element)));
        } else {
            object.set(key, scalar(value));
        }
    }

    private static JsonNode scalar(Object value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        return switch (value) {
            case Long number -> nodes.numberNode(number);
            case BigInteger number -> nodes.numberNode(number);
            case Double number -> nodes.numberNode(number);
            case Boolean flag -> nodes.booleanNode(flag);
            default -> nodes.textNode(value.toString());
        };
    }

    private <T> List<T> list(String key, Class<T> type, String expected) {
        Object value = values.get(key);
        if (value == null) {
            return List.of();
        }
        List<T> list = new ArrayList<>();
        for (Object element : as(List.class, key, value, expected)) {
            list.add(as(type, key, element, expected));
        }
        return list;
    }

    private <T> T as(Class<T> type, String key, Object value, String expected) {
        if (!type.isInstance(value)) {
            throw mismatch(key, expected, shown(value));
        }
        return type.cast(value);
    }

    private static String shown(Object value) {
        return value instanceof List<?> list
                ? "an array of " + list.size()
                : value.getClass().getSimpleName() + " " + SafetensorsHeader.quote(value.toString());
    }
}
