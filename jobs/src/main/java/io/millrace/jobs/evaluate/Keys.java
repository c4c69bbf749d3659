package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Keys of a mapping in a task file, each read by what it has to be.
///
/// @param where the task, for messages
record Keys(String where, Map<String, ? extends @Nullable Object> values) {

    boolean has(String key) {
        return values.get(key) != null;
    }

    @Nullable
    Object value(String key) {
        return values.get(key);
    }

    @Nullable
    String text(String key) {
        Object value = values.get(key);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        if (value instanceof Long || value instanceof Double) {
            return PythonText.str(value);
        }
        throw wrong(key, "a text", value);
    }

    String text(String key, String otherwise) {
        return Objects.requireNonNullElse(text(key), otherwise);
    }

    String required(String key) {
        String text = text(key);
        if (text == null) {
            throw new TaskException(where + ": " + key + ": expected a text, got nothing");
        }
        return text;
    }

    long whole(String key, long otherwise) {
        return switch (values.get(key)) {
            case null -> otherwise;
            case Long whole -> whole;
            case Object other -> throw wrong(key, "a whole number", other);
        };
    }

    double number(String key, double otherwise) {
        Object value = values.get(key);
        Double number = PythonText.number(value instanceof String text ? parsed(key, text) : value);
        if (number == null && value != null) {
            throw wrong(key, "a number", value);
        }
        return number == null ? otherwise : number;
    }

    /// YAML 1.1 takes `1e-3` for a text.
    private Double parsed(String key, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException _) {
            throw wrong(key, "a number", text);
        }
    }

    boolean flag(String key, boolean otherwise) {
        return switch (values.get(key)) {
            case null -> otherwise;
            case Boolean flag -> flag;
            case Object other -> throw wrong(key, "true or false", other);
        };
    }

    /// A single text is a list of one.
    List<String> texts(String key) {
        return switch (values.get(key)) {
            case null -> List.of();
            case List<?> list -> list.stream().map(PythonText::str).toList();
            case Object single -> List.of(PythonText.str(single));
        };
    }

    /// Mappings of a list; none if the key is not there.
    List<Keys> mappings(String key) {
        return switch (values.get(key)) {
            case null -> List.of();
            case List<?> list -> list.stream().map(item -> mapping(key, item)).toList();
            case Object single -> List.of(mapping(key, single));
        };
    }

    Keys mapping(String key) {
        Object value = values.get(key);
        return value == null ? new Keys(where, Map.of()) : mapping(key, value);
    }

    private Keys mapping(String key, @Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> named = new LinkedHashMap<>();
            map.forEach((name, item) -> named.put(String.valueOf(name), item));
            return new Keys(where + ": " + key, named);
        }
        throw wrong(key, "a mapping", value);
    }

    TaskException wrong(String key, String expected, @Nullable Object got) {
        return new TaskException(where + ": " + key + ": expected " + expected + ", got "
                + (got instanceof Yaml.PythonFunction(String name)
                        ? "!function " + name + ": Python is not run here"
                        : PythonText.repr(got)));
    }
}
