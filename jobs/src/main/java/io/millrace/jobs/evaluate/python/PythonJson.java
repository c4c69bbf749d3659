package io.millrace.jobs.evaluate.python;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `json.dumps(value, ensure_ascii=False)`, byte for byte, since the harness hashes it. Numbers without
/// a value are `NaN` and `Infinity`, which Python reads back.
public final class PythonJson {
    private final StringBuilder json = new StringBuilder();
    private final int indent;

    private PythonJson(int indent) {
        this.indent = indent;
    }

    /// On one line.
    public static String compact(@Nullable Object value) {
        return write(value, 0);
    }

    /// With `indent=2`.
    public static String pretty(@Nullable Object value) {
        return write(value, 2);
    }

    private static String write(@Nullable Object value, int indent) {
        PythonJson writer = new PythonJson(indent);
        writer.value(value, 0);
        return writer.json.toString();
    }

    private void value(@Nullable Object value, int depth) {
        switch (value) {
            case null -> json.append("null");
            case Boolean flag -> json.append(flag.booleanValue());
            case Integer whole -> json.append(whole.intValue());
            case Long whole -> json.append(whole.longValue());
            case Double number -> json.append(number(number));
            case String text -> string(text);
            case List<?> list -> list(list, depth);
            case Map<?, ?> map -> map(map, depth);
            default -> throw new IllegalArgumentException("no value of Python's: " + value.getClass());
        }
    }

    private static String number(double number) {
        if (Double.isNaN(number)) {
            return "NaN";
        }
        return Double.isInfinite(number) ? number > 0 ? "Infinity" : "-Infinity" : PythonText.repr(number);
    }

    private void list(List<?> list, int depth) {
        if (list.isEmpty()) {
            json.append("[]");
            return;
        }
        json.append('[');
        for (int index = 0; index < list.size(); index++) {
            separate(index, depth + 1);
            value(list.get(index), depth + 1);
        }
        close(depth, ']');
    }

    private void map(Map<?, ?> map, int depth) {
        if (map.isEmpty()) {
            json.append("{}");
            return;
        }
        json.append('{');
        int index = 0;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            separate(index++, depth + 1);
            string(entry.getKey() instanceof String key ? key : key(entry.getKey()));
            json.append(": ");
            value(entry.getValue(), depth + 1);
        }
        close(depth, '}');
    }

    private static String key(@Nullable Object key) {
        return key == null || key instanceof Boolean ? compact(key) : PythonText.str(key);
    }

    private void separate(int index, int depth) {
        if (index > 0) {
            json.append(indent == 0 ? ", " : ",");
        }
        newLine(depth);
    }

    private void close(int depth, char bracket) {
        newLine(depth);
        json.append(bracket);
    }

    private void newLine(int depth) {
        if (indent > 0) {
            json.append('\n').append(" ".repeat(indent * depth));
        }
    }

    private void string(String text) {
        json.append('"');
        for (int index = 0; index < text.length(); index++) {
            char c = text.charAt(index);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\b' -> json.append("\\b");
                case '\f' -> json.append("\\f");
                default -> {
                    if (c < 0x20) {
                        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
