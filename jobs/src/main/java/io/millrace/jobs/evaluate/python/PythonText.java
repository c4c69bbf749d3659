package io.millrace.jobs.evaluate.python;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// Values as Python spells them, and what it takes for space.
public final class PythonText {

    private PythonText() {}

    /// `str(value)`.
    public static String str(@Nullable Object value) {
        return value instanceof String text ? text : repr(value);
    }

    /// `repr(value)`.
    public static String repr(@Nullable Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean flag -> flag ? "True" : "False";
            case Long whole -> Long.toString(whole);
            case Integer whole -> Integer.toString(whole);
            case Double number -> repr(number.doubleValue());
            case String text -> quoted(text);
            case List<?> list -> joined(list);
            case Map<?, ?> map -> joined(map);
            default -> throw new IllegalArgumentException("no value of Python's: " + value.getClass());
        };
    }

    private static String joined(List<?> list) {
        List<String> items = new ArrayList<>();
        list.forEach(item -> items.add(repr(item)));
        return "[" + String.join(", ", items) + "]";
    }

    private static String joined(Map<?, ?> map) {
        List<String> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(repr(key) + ": " + repr(value)));
        return "{" + String.join(", ", items) + "}";
    }

    /// The shortest digits that mean the number, with an exponent from 1e16 and below 1e-4.
    private static String repr(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(number)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = shortest.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        String sign = exponent < 0 ? "-" : "+";
        return (number < 0 ? "-" : "") + mantissa + "e" + sign + String.format(Locale.ROOT, "%02d", Math.abs(exponent));
    }

    /// In single quotes, or in double ones if the text has single ones and no double ones.
    private static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                case '\\' -> quoted.append("\\\\");
                default -> {
                    if (c == quote) {
                        quoted.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        quoted.appendCodePoint(c);
                    } else {
                        quoted.append(escaped(c));
                    }
                }
            }
        });
        return quoted.append(quote).toString();
    }

    private static String escaped(int c) {
        if (c < 0x100) {
            return String.format(Locale.ROOT, "\\x%02x", c);
        }
        return String.format(Locale.ROOT, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /// Whether Python takes the value for true.
    public static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case Long whole -> whole != 0;
            case Double number -> number != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            default -> true;
        };
    }

    /// `left == right`: numbers by what they are worth, `True` being 1.
    public static boolean areEqual(@Nullable Object left, @Nullable Object right) {
        Double first = number(left);
        Double second = number(right);
        if (first != null && second != null) {
            return (left instanceof Long a && right instanceof Long b)
                    ? a.longValue() == b.longValue()
                    : first.doubleValue() == second.doubleValue();
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            boolean equal = a.size() == b.size();
            for (int index = 0; equal && index < a.size(); index++) {
                equal = areEqual(a.get(index), b.get(index));
            }
            return equal;
        }
        if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
            return a.size() == b.size()
                    && a.entrySet().stream()
                            .allMatch(entry ->
                                    b.containsKey(entry.getKey()) && areEqual(entry.getValue(), b.get(entry.getKey())));
        }
        return left == null ? right == null : left.equals(right);
    }

    /// The value as a number; null if it is none.
    public static @Nullable Double number(@Nullable Object value) {
        return switch (value) {
            case Boolean flag -> flag ? 1.0 : 0.0;
            case Long whole -> (double) whole;
            case Double number -> number;
            case null, default -> null;
        };
    }

    /// `int(text)`, of whole numbers that fit.
    ///
    /// @throws NumberFormatException if it is none
    public static long whole(String text) {
        return new BigInteger(strip(text).replace("_", "")).longValueExact();
    }

    /// Whether the character is one that `str.strip` takes away.
    public static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    /// `text.isupper()`.
    public static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    /// `text.islower()`.
    public static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    /// `text.strip()`.
    public static String strip(String text) {
        return strip(text, PythonText::isSpace, true, true);
    }

    /// `text.rstrip()`.
    public static String stripEnd(String text) {
        return strip(text, PythonText::isSpace, false, true);
    }

    /// Without the characters at the start, the end or both that are to go.
    public static String strip(String text, IntPredicate goes, boolean start, boolean end) {
        int from = 0;
        int to = text.length();
        while (start && from < to && goes.test(text.charAt(from))) {
            from++;
        }
        while (end && to > from && goes.test(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    /// `len(re.split(r"\s+", text))`: one more than there are stretches of space.
    public static int words(String text) {
        int words = 1;
        boolean inSpace = false;
        for (int index = 0; index < text.length(); index++) {
            boolean space = isSpace(text.charAt(index));
            if (space && !inSpace) {
                words++;
            }
            inSpace = space;
        }
        return words;
    }
}
