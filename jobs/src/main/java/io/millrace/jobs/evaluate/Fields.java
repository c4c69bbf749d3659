package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.python.PythonLiteral;
import io.millrace.jobs.evaluate.python.PythonText;
import io.millrace.jobs.evaluate.template.Template;
import io.millrace.jobs.evaluate.template.TemplateException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a task makes of a document: its question, its choices, its answer. A text that is the name of a
/// column is that column's value, any other is a template. Confined to one thread.
final class Fields {
    private final String where;
    private final @Nullable Object text;
    private final @Nullable Object choices;
    private final @Nullable Object target;
    private final Map<String, Template> templates = new HashMap<>();

    Fields(String where, @Nullable Object text, @Nullable Object choices, @Nullable Object target) {
        this.where = where;
        this.text = text;
        this.choices = choices;
        this.target = target;
    }

    boolean hasChoices() {
        return choices != null;
    }

    /// A text, or the place of the choice that is right where contexts are what is chosen among.
    Object text(Map<String, ? extends @Nullable Object> document) {
        Object value = value("doc_to_text", text, document);
        if (value instanceof String digits && hasChoices() && isWritten(text, document) && isNumber(digits)) {
            return Long.parseLong(digits);
        }
        if (value instanceof String || value instanceof Long) {
            return value;
        }
        throw new TaskException(where + ": doc_to_text: expected a text, got " + PythonText.repr(value));
    }

    /// A text, the place of a choice, or a list of either.
    Object target(Map<String, ? extends @Nullable Object> document) {
        if (target instanceof List<?> list) {
            return list;
        }
        Object value = value("doc_to_target", target, document);
        if (value instanceof String written && isWritten(target, document)) {
            if (hasChoices() && isNumber(written)) {
                return Long.parseLong(written);
            }
            return written.length() >= 2 && written.startsWith("[") && written.endsWith("]")
                    ? literal(written)
                    : written;
        }
        if (value == null) {
            throw new TaskException(where + ": doc_to_target: expected a value, got None");
        }
        return value;
    }

    private static Object literal(String written) {
        try {
            Object value = PythonLiteral.parse(written);
            return value == null ? written : value;
        } catch (IllegalArgumentException _) {
            return written;
        }
    }

    List<String> choices(Map<String, ? extends @Nullable Object> document) {
        Object value = switch (choices) {
            case List<?> list -> list;
            case Map<?, ?> map -> List.copyOf(map.values());
            case null, default -> value("doc_to_choice", choices, document);
        };
        if (value instanceof String written) {
            try {
                value = PythonLiteral.parse(written);
            } catch (IllegalArgumentException e) {
                throw new TaskException(where + ": doc_to_choice: " + e.getMessage(), e);
            }
        }
        if (value instanceof List<?> list && !list.isEmpty() && list.stream().allMatch(String.class::isInstance)) {
            return list.stream().map(String.class::cast).toList();
        }
        throw new TaskException(where + ": doc_to_choice: expected texts, got " + PythonText.repr(value));
    }

    private static boolean isNumber(String text) {
        return text.matches("[0-9]{1,18}");
    }

    /// Whether the value came out of a template.
    private static boolean isWritten(@Nullable Object field, Map<String, ? extends @Nullable Object> document) {
        return field instanceof String text && !document.containsKey(text);
    }

    private @Nullable Object value(
            String key, @Nullable Object field, Map<String, ? extends @Nullable Object> document) {
        return switch (field) {
            case Long whole -> whole;
            case String name when document.containsKey(name) -> document.get(name);
            case String template -> render(key, template, document);
            case null -> throw new TaskException(where + ": " + key + ": expected a template, got nothing");
            default -> throw new TaskException(where + ": " + key + ": expected a template, got " + field);
        };
    }

    /// The text of a column or a template.
    String render(String key, String template, Map<String, ? extends @Nullable Object> document) {
        if (document.containsKey(template)) {
            return PythonText.str(document.get(template));
        }
        try {
            return templates.computeIfAbsent(template, Template::parse).render(document);
        } catch (TemplateException e) {
            throw new TaskException(where + ": " + key + ": " + e.getMessage(), e);
        }
    }
}
