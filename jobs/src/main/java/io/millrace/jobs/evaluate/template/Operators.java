package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Operators of two values, as Python has them.
final class Operators {

    private Operators() {}

    static @Nullable Object apply(String operator, @Nullable Object left, @Nullable Object right) {
        return switch (operator) {
            case "==" -> PythonText.areEqual(left, right);
            case "!=" -> !PythonText.areEqual(left, right);
            case "<" -> compare(left, right) < 0;
            case "<=" -> compare(left, right) <= 0;
            case ">" -> compare(left, right) > 0;
            case ">=" -> compare(left, right) >= 0;
            case "in" -> isIn(left, right);
            case "not in" -> !isIn(left, right);
            case "~" -> PythonText.str(left) + PythonText.str(right);
            case "+" -> plus(left, right);
            case "*" -> times(left, right);
            case "-", "/", "//", "%", "**" -> arithmetic(operator, left, right);
            default -> throw new TemplateException("no operator: " + operator);
        };
    }

    /// @throws TemplateException if the two have no order
    static int compare(@Nullable Object left, @Nullable Object right) {
        Double first = PythonText.number(left);
        Double second = PythonText.number(right);
        if (first != null && second != null) {
            return Double.compare(first, second);
        }
        if (left instanceof String a && right instanceof String b) {
            return a.compareTo(b);
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            for (int index = 0; index < Math.min(a.size(), b.size()); index++) {
                int order = compare(a.get(index), b.get(index));
                if (order != 0) {
                    return order;
                }
            }
            return Integer.compare(a.size(), b.size());
        }
        throw unfit("<", left, right);
    }

    private static boolean isIn(@Nullable Object item, @Nullable Object container) {
        return switch (container) {
            case String text when item instanceof String part -> text.contains(part);
            case List<?> list -> list.stream().anyMatch(other -> PythonText.areEqual(item, other));
            case Map<?, ?> map -> map.containsKey(item);
            case null, default -> throw unfit("in", item, container);
        };
    }

    private static Object plus(@Nullable Object left, @Nullable Object right) {
        if (left instanceof String first && right instanceof String second) {
            return first + second;
        }
        if (left instanceof List<?> first && right instanceof List<?> second) {
            List<@Nullable Object> joined = new ArrayList<>(first);
            joined.addAll(second);
            return joined;
        }
        return arithmetic("+", left, right);
    }

    private static Object times(@Nullable Object left, @Nullable Object right) {
        if (left instanceof String text && right instanceof Long count) {
            return text.repeat((int) Math.max(0, count));
        }
        if (left instanceof List<?> list && right instanceof Long count) {
            List<@Nullable Object> repeated = new ArrayList<>();
            for (long round = 0; round < count; round++) {
                repeated.addAll(list);
            }
            return repeated;
        }
        return arithmetic("*", left, right);
    }

    private static Object arithmetic(String operator, @Nullable Object left, @Nullable Object right) {
        Double first = PythonText.number(left);
        Double second = PythonText.number(right);
        if (first == null || second == null) {
            throw unfit(operator, left, right);
        }
        boolean whole = !(left instanceof Double) && !(right instanceof Double) && !operator.equals("/");
        try {
            return whole
                    ? whole(operator, first.longValue(), second.longValue())
                    : (Object) real(operator, first, second);
        } catch (ArithmeticException e) {
            throw new TemplateException(operator + ": " + e.getMessage(), e);
        }
    }

    private static long whole(String operator, long left, long right) {
        return switch (operator) {
            case "+" -> Math.addExact(left, right);
            case "-" -> Math.subtractExact(left, right);
            case "*" -> Math.multiplyExact(left, right);
            case "//" -> Math.floorDiv(left, right);
            case "%" -> Math.floorMod(left, right);
            default -> {
                long power = 1;
                for (long round = 0; round < right; round++) {
                    power = Math.multiplyExact(power, left);
                }
                yield power;
            }
        };
    }

    private static double real(String operator, double left, double right) {
        if (right == 0 && "//%".contains(operator)) {
            throw new ArithmeticException("division by zero");
        }
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / right;
            case "//" -> Math.floor(left / right);
            case "%" -> left - right * Math.floor(left / right);
            default -> Math.pow(left, right);
        };
    }

    private static TemplateException unfit(String operator, @Nullable Object left, @Nullable Object right) {
        return new TemplateException(PythonText.repr(left) + " " + operator + " " + PythonText.repr(right)
                + ": expected values that have this");
    }
}
