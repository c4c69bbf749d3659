package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What may follow `is`.
final class Tests {

    private Tests() {}

    static boolean holds(String test, @Nullable Object given, List<@Nullable Object> arguments) {
        if (test.equals("defined")) {
            return !(given instanceof Undefined);
        }
        if (test.equals("undefined")) {
            return given instanceof Undefined;
        }
        Object value = Undefined.refused(given);
        return switch (test) {
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "number" -> value instanceof Long || value instanceof Double || value instanceof Boolean;
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "mapping" -> value instanceof Map;
            case "sequence", "iterable" -> value instanceof List || value instanceof String || value instanceof Map;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "odd" -> Boolean.TRUE.equals(Operators.apply("==", Operators.apply("%", value, 2L), 1L));
            case "even" -> Boolean.TRUE.equals(Operators.apply("==", Operators.apply("%", value, 2L), 0L));
            case "eq", "equalto", "sameas" -> PythonText.areEqual(value, arguments.getFirst());
            case "in" -> Boolean.TRUE.equals(Operators.apply("in", value, arguments.getFirst()));
            default -> throw new TemplateException("no test: '" + test + "'");
        };
    }
}
