package io.millrace.jobs.evaluate.ifeval;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// What an instruction was made with. The reference draws by chance what is missing; here it is refused.
///
/// @param instruction the instruction's name, for messages
record Arguments(String instruction, Map<?, ? extends @Nullable Object> values) {

    String text(String name) {
        if (values.get(name) instanceof String text && !text.isEmpty()) {
            return text;
        }
        throw wrong(name, "a text");
    }

    long count(String name) {
        if (values.get(name) instanceof Long count && count > 0) {
            return count;
        }
        throw wrong(name, "a whole number above 0");
    }

    List<String> texts(String name) {
        if (values.get(name) instanceof List<?> list
                && !list.isEmpty()
                && list.stream().allMatch(String.class::isInstance)) {
            return list.stream().map(String.class::cast).toList();
        }
        throw wrong(name, "texts");
    }

    /// Whether a count stands in the relation to a bound.
    LongPredicate compared(String relation, String bound) {
        long than = count(bound);
        return switch (text(relation)) {
            case "at least" -> count -> count >= than;
            case "less than" -> count -> count < than;
            default -> throw wrong(relation, "at least or less than");
        };
    }

    IllegalArgumentException wrong(String name, String expected) {
        return new IllegalArgumentException(
                instruction + ": " + name + ": expected " + expected + ", got " + PythonText.repr(values.get(name)));
    }
}
