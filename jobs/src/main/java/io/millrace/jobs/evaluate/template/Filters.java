package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonJson;
import io.millrace.jobs.evaluate.python.PythonRegex;
import io.millrace.jobs.evaluate.python.PythonText;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Filters of Jinja, and `regex_replace` of the harness.
final class Filters {

    private Filters() {}

    static @Nullable Object apply(
            String filter,
            @Nullable Object given,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named) {
        if (filter.equals("default") || filter.equals("d")) {
            return withDefault(given, arguments);
        }
        Object value = Undefined.refused(given);
        return switch (filter) {
            case "length", "count" -> length(value);
            case "string" -> PythonText.str(value);
            case "int" -> whole(value, arguments);
            case "float" -> real(value);
            case "trim" -> PythonText.strip(PythonText.str(value));
            case "lower" -> PythonText.str(value).toLowerCase(Locale.ROOT);
            case "upper" -> PythonText.str(value).toUpperCase(Locale.ROOT);
            case "title" -> Methods.title(PythonText.str(value));
            case "capitalize" -> Methods.capitalized(PythonText.str(value));
            case "replace" -> PythonText.str(value).replace(Methods.text(arguments, 0), Methods.text(arguments, 1));
            case "regex_replace" ->
                PythonRegex.compile(Methods.text(arguments, 0))
                        .replaceAll(PythonText.str(value), Methods.text(arguments, 1));
            case "join" -> join(items(value), arguments.isEmpty() ? "" : Methods.text(arguments, 0));
            case "first" ->
                items(value).isEmpty() ? new Undefined("first") : items(value).getFirst();
            case "last" ->
                items(value).isEmpty() ? new Undefined("last") : items(value).getLast();
            case "list" -> items(value);
            case "reverse" -> items(value).reversed();
            case "sort" -> items(value).stream().sorted(Operators::compare).toList();
            case "min" -> items(value).stream().min(Operators::compare).orElseThrow();
            case "max" -> items(value).stream().max(Operators::compare).orElseThrow();
            case "sum" -> sum(items(value));
            case "map" -> mapped(items(value), arguments, named);
            case "abs" -> Operators.compare(value, 0L) < 0 ? Operators.apply("-", 0L, value) : value;
            case "round" -> rounded(value, arguments);
            case "tojson" -> PythonJson.compact(value);
            default -> throw new TemplateException("no filter: '" + filter + "'");
        };
    }

    private static @Nullable Object withDefault(@Nullable Object given, List<@Nullable Object> arguments) {
        boolean orFalse = arguments.size() > 1 && PythonText.isTrue(arguments.get(1));
        boolean missing = given instanceof Undefined || (orFalse && !PythonText.isTrue(given));
        return missing ? arguments.isEmpty() ? "" : arguments.getFirst() : given;
    }

    private static long length(@Nullable Object value) {
        return switch (value) {
            case String text -> text.codePointCount(0, text.length());
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case null, default -> throw new TemplateException("length: expected a list, got " + PythonText.repr(value));
        };
    }

    /// Of a text that is no number the default, 0 if none is given.
    private static Object whole(@Nullable Object value, List<@Nullable Object> arguments) {
        long otherwise = arguments.isEmpty() ? 0 : Methods.whole(arguments, 0);
        Double number = PythonText.number(value);
        if (number != null) {
            return value instanceof Long exact ? exact : (Object) (long) number.doubleValue();
        }
        try {
            return value instanceof String text ? PythonText.whole(text) : otherwise;
        } catch (NumberFormatException | ArithmeticException _) {
            double real = real(value);
            return real == 0 ? otherwise : (long) real;
        }
    }

    private static double real(@Nullable Object value) {
        Double number = PythonText.number(value);
        try {
            return number == null ? Double.parseDouble(PythonText.strip(PythonText.str(value))) : number;
        } catch (NumberFormatException _) {
            return 0;
        }
    }

    private static Object rounded(@Nullable Object value, List<@Nullable Object> arguments) {
        int places = arguments.isEmpty() ? 0 : (int) Methods.whole(arguments, 0);
        return new BigDecimal(real(value))
                .setScale(places, RoundingMode.HALF_EVEN)
                .doubleValue();
    }

    private static @Nullable Object sum(List<@Nullable Object> items) {
        Object sum = 0L;
        for (Object item : items) {
            sum = Operators.apply("+", sum, item);
        }
        return sum;
    }

    private static String join(List<@Nullable Object> items, String between) {
        List<String> texts = new ArrayList<>();
        items.forEach(item -> texts.add(PythonText.str(item)));
        return String.join(between, texts);
    }

    private static Object mapped(
            List<@Nullable Object> items, List<@Nullable Object> arguments, Map<String, @Nullable Object> named) {
        List<@Nullable Object> mapped = new ArrayList<>();
        for (Object item : items) {
            if (named.get("attribute") instanceof String attribute) {
                mapped.add(Undefined.refused(
                        item instanceof Map<?, ?> map && map.containsKey(attribute)
                                ? map.get(attribute)
                                : new Undefined(attribute)));
            } else {
                mapped.add(apply(Methods.text(arguments, 0), item, arguments.subList(1, arguments.size()), Map.of()));
            }
        }
        return mapped;
    }

    /// What a loop over the value goes through.
    static List<@Nullable Object> items(@Nullable Object value) {
        List<@Nullable Object> items = new ArrayList<>();
        switch (value) {
            case List<?> list -> items.addAll(list);
            case Map<?, ?> map -> items.addAll(map.keySet());
            case String text -> text.codePoints().forEach(c -> items.add(Character.toString(c)));
            case null, default -> throw new TemplateException("expected a list, got " + PythonText.repr(value));
        }
        return items;
    }
}
