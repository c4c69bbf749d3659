package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// Methods of Python's strings, lists and dictionaries, and the one function that templates use.
final class Methods {

    private Methods() {}

    static Object function(String name, List<@Nullable Object> arguments) {
        if (!name.equals("range")) {
            throw new TemplateException("'" + name + "': expected range, the only function");
        }
        long from = arguments.size() == 1 ? 0 : whole(arguments, 0);
        long to = whole(arguments, arguments.size() == 1 ? 0 : 1);
        long step = arguments.size() < 3 ? 1 : whole(arguments, 2);
        if (step == 0) {
            throw new TemplateException("range: expected a step, got 0");
        }
        List<@Nullable Object> range = new ArrayList<>();
        for (long at = from; step > 0 ? at < to : at > to; at += step) {
            range.add(at);
        }
        return range;
    }

    static @Nullable Object call(@Nullable Object owner, String name, List<@Nullable Object> arguments) {
        return switch (owner) {
            case String text -> ofText(text, name, arguments);
            case List<?> list -> ofList(list, name, arguments);
            case Map<?, ?> map -> ofMap(map, name, arguments);
            case null, default -> throw unknown(owner, name);
        };
    }

    private static Object ofText(String text, String name, List<@Nullable Object> arguments) {
        return switch (name) {
            case "strip" -> PythonText.strip(text, stripped(arguments), true, true);
            case "lstrip" -> PythonText.strip(text, stripped(arguments), true, false);
            case "rstrip" -> PythonText.strip(text, stripped(arguments), false, true);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "title" -> title(text);
            case "capitalize" -> capitalized(text);
            case "split" -> split(text, arguments);
            case "rsplit" -> splitFromEnd(text, text(arguments, 0), limit(arguments));
            case "splitlines" -> new ArrayList<>(text.lines().toList());
            case "replace" -> text.replace(text(arguments, 0), text(arguments, 1));
            case "startswith" -> text.startsWith(text(arguments, 0));
            case "endswith" -> text.endsWith(text(arguments, 0));
            case "find" -> place(text, text.indexOf(text(arguments, 0)));
            case "rfind" -> place(text, text.lastIndexOf(text(arguments, 0)));
            case "index" -> {
                int at = text.indexOf(text(arguments, 0));
                if (at < 0) {
                    throw new TemplateException("index: substring not found: " + text(arguments, 0));
                }
                yield place(text, at);
            }
            case "count" ->
                (long) pieces(text, text(arguments, 0), Integer.MAX_VALUE).size() - 1;
            case "isdigit" -> !text.isEmpty() && text.chars().allMatch(Character::isDigit);
            case "join" -> join(text, arguments);
            default -> throw unknown(text, name);
        };
    }

    private static long place(String text, int at) {
        return at < 0 ? -1 : text.codePointCount(0, at);
    }

    private static IntPredicate stripped(List<@Nullable Object> arguments) {
        if (arguments.isEmpty() || arguments.getFirst() == null) {
            return PythonText::isSpace;
        }
        String characters = text(arguments, 0);
        return c -> characters.indexOf(c) >= 0;
    }

    static String capitalized(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean inWord = false;
        for (int index = 0; index < text.length(); index++) {
            char c = text.charAt(index);
            title.append(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return title.toString();
    }

    private static Object split(String text, List<@Nullable Object> arguments) {
        int limit = limit(arguments);
        if (!arguments.isEmpty() && arguments.getFirst() != null) {
            return new ArrayList<>(pieces(text, text(arguments, 0), limit));
        }
        List<String> words = new ArrayList<>();
        String rest = PythonText.strip(text, PythonText::isSpace, true, false);
        while (!rest.isEmpty()) {
            int end = 0;
            while (end < rest.length() && !PythonText.isSpace(rest.charAt(end))) {
                end++;
            }
            if (words.size() == limit) {
                words.add(PythonText.stripEnd(rest));
                break;
            }
            words.add(rest.substring(0, end));
            rest = PythonText.strip(rest.substring(end), PythonText::isSpace, true, false);
        }
        return words;
    }

    private static int limit(List<@Nullable Object> arguments) {
        long limit = arguments.size() < 2 ? -1 : whole(arguments, 1);
        return limit < 0 ? Integer.MAX_VALUE : (int) limit;
    }

    /// @param limit most cuts
    private static List<String> pieces(String text, String separator, int limit) {
        requireSeparator(separator);
        List<String> pieces = new ArrayList<>();
        int from = 0;
        int at;
        while (pieces.size() < limit && (at = text.indexOf(separator, from)) >= 0) {
            pieces.add(text.substring(from, at));
            from = at + separator.length();
        }
        pieces.add(text.substring(from));
        return pieces;
    }

    private static List<String> splitFromEnd(String text, String separator, int limit) {
        requireSeparator(separator);
        List<String> pieces = new ArrayList<>();
        int to = text.length();
        int at;
        while (pieces.size() < limit && (at = text.lastIndexOf(separator, to - separator.length())) >= 0) {
            pieces.addFirst(text.substring(at + separator.length(), to));
            to = at;
        }
        pieces.addFirst(text.substring(0, to));
        return pieces;
    }

    private static void requireSeparator(String separator) {
        if (separator.isEmpty()) {
            throw new TemplateException("split: expected a separator, got ''");
        }
    }

    private static String join(String between, List<@Nullable Object> arguments) {
        if (arguments.size() != 1 || !(arguments.getFirst() instanceof List<?> items)) {
            throw new TemplateException("join: expected a list, got " + PythonText.repr(arguments));
        }
        List<String> texts = new ArrayList<>();
        items.forEach(item -> texts.add(PythonText.str(item)));
        return String.join(between, texts);
    }

    private static Object ofList(List<?> list, String name, List<@Nullable Object> arguments) {
        Object item = arguments.size() == 1 ? arguments.getFirst() : null;
        return switch (name) {
            case "index" -> {
                for (int index = 0; index < list.size(); index++) {
                    if (PythonText.areEqual(list.get(index), item)) {
                        yield (long) index;
                    }
                }
                throw new TemplateException("index: " + PythonText.repr(item) + " is not in " + PythonText.repr(list));
            }
            case "count" ->
                list.stream().filter(other -> PythonText.areEqual(other, item)).count();
            default -> throw unknown(list, name);
        };
    }

    private static @Nullable Object ofMap(Map<?, ?> map, String name, List<@Nullable Object> arguments) {
        return switch (name) {
            case "keys" -> new ArrayList<>(map.keySet());
            case "values" -> new ArrayList<>(map.values());
            case "items" -> {
                List<@Nullable Object> items = new ArrayList<>();
                map.forEach((key, value) -> items.add(Arrays.asList(key, value)));
                yield items;
            }
            case "get" -> {
                Object key = arguments.isEmpty() ? null : arguments.getFirst();
                yield map.containsKey(key) ? map.get(key) : arguments.size() > 1 ? arguments.get(1) : null;
            }
            default -> throw unknown(map, name);
        };
    }

    static String text(List<@Nullable Object> arguments, int index) {
        if (index < arguments.size() && arguments.get(index) instanceof String text) {
            return text;
        }
        throw new TemplateException(
                "expected a string as argument " + (index + 1) + ", got " + PythonText.repr(arguments));
    }

    static long whole(List<@Nullable Object> arguments, int index) {
        if (index < arguments.size() && arguments.get(index) instanceof Long whole) {
            return whole;
        }
        throw new TemplateException(
                "expected a whole number as argument " + (index + 1) + ", got " + PythonText.repr(arguments));
    }

    private static TemplateException unknown(@Nullable Object owner, String name) {
        return new TemplateException(PythonText.repr(owner) + " has no method '" + name + "' that is known here");
    }
}
