package io.millrace.jobs.evaluate.python;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads Python's spelling of a value back: what `ast.literal_eval` does. A tuple is a list.
public final class PythonLiteral {
    private final String text;
    private int at;

    private PythonLiteral(String text) {
        this.text = text;
    }

    /// @throws IllegalArgumentException if the text is no literal
    public static @Nullable Object parse(String text) {
        PythonLiteral literal = new PythonLiteral(PythonText.strip(text));
        Object value = literal.value();
        literal.skipSpace();
        if (literal.at < literal.text.length()) {
            throw literal.wrong("the end");
        }
        return value;
    }

    private @Nullable Object value() {
        skipSpace();
        char c = peek();
        return switch (c) {
            case '[' -> items(']');
            case '(' -> tuple();
            case '{' -> map();
            case '\'', '"' -> string();
            default -> {
                if (Character.isDigit(c) || c == '-' || c == '+' || c == '.') {
                    yield number();
                }
                yield word();
            }
        };
    }

    /// A single item in parentheses is itself unless a comma follows it.
    private @Nullable Object tuple() {
        int open = at;
        List<@Nullable Object> items = items(')');
        boolean comma = PythonText.stripEnd(text.substring(open, at - 1)).endsWith(",");
        return items.size() == 1 && !comma ? items.getFirst() : items;
    }

    private List<@Nullable Object> items(char close) {
        at++;
        List<@Nullable Object> items = new ArrayList<>();
        skipSpace();
        while (peek() != close) {
            items.add(value());
            skipSpace();
            if (peek() == ',') {
                at++;
                skipSpace();
            } else if (peek() != close) {
                throw wrong("',' or '" + close + "'");
            }
        }
        at++;
        return items;
    }

    private Map<@Nullable Object, @Nullable Object> map() {
        at++;
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        skipSpace();
        while (peek() != '}') {
            Object key = value();
            skipSpace();
            require(':');
            map.put(key, value());
            skipSpace();
            if (peek() == ',') {
                at++;
                skipSpace();
            } else if (peek() != '}') {
                throw wrong("',' or '}'");
            }
        }
        at++;
        return map;
    }

    /// Strings side by side are one.
    private String string() {
        StringBuilder whole = new StringBuilder();
        while (at < text.length() && (text.charAt(at) == '\'' || text.charAt(at) == '"')) {
            char quote = text.charAt(at++);
            int start = at;
            while (peek() != quote) {
                at += peek() == '\\' ? 2 : 1;
            }
            whole.append(unescaped(text.substring(start, at)));
            at++;
            int end = at;
            skipSpace();
            if (at < text.length() && text.charAt(at) != '\'' && text.charAt(at) != '"') {
                at = end;
            }
        }
        return whole.toString();
    }

    /// What stands between the quotes of a string.
    public static String unescaped(String raw) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < raw.length()) {
            char c = raw.charAt(at++);
            if (c != '\\' || at == raw.length()) {
                text.append(c);
                continue;
            }
            char escape = raw.charAt(at++);
            int digits = switch (escape) {
                case 'x' -> 2;
                case 'u' -> 4;
                case 'U' -> 8;
                default -> 0;
            };
            if (digits > 0 && at + digits <= raw.length()) {
                text.appendCodePoint(Integer.parseInt(raw, at, at + digits, 16));
                at += digits;
            } else {
                text.append(plainEscape(escape));
            }
        }
        return text.toString();
    }

    private static String plainEscape(char escape) {
        return switch (escape) {
            case 'n' -> "\n";
            case 'r' -> "\r";
            case 't' -> "\t";
            case 'b' -> "\b";
            case 'f' -> "\f";
            case 'v' -> "\u000b";
            case 'a' -> "\u0007";
            case '0' -> "\0";
            case '\n' -> "";
            case '\\', '\'', '"' -> String.valueOf(escape);
            default -> "\\" + escape;
        };
    }

    private Object number() {
        int start = at;
        while (at < text.length() && "+-.0123456789eE_".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(start, at).replace("_", "");
        try {
            if (digits.matches("[+-]?[0-9]+")) {
                return Long.parseLong(digits);
            }
            return Double.parseDouble(digits);
        } catch (NumberFormatException _) {
            at = start;
            throw wrong("a number");
        }
    }

    private @Nullable Object word() {
        int start = at;
        while (at < text.length() && Character.isJavaIdentifierPart(text.charAt(at))) {
            at++;
        }
        return switch (text.substring(start, at)) {
            case "None" -> null;
            case "True" -> true;
            case "False" -> false;
            default -> {
                at = start;
                throw wrong("a literal");
            }
        };
    }

    private void require(char c) {
        if (peek() != c) {
            throw wrong("'" + c + "'");
        }
        at++;
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("more");
        }
        return text.charAt(at);
    }

    private void skipSpace() {
        while (at < text.length() && PythonText.isSpace(text.charAt(at))) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException(
                "literal: expected " + expected + " at character " + at + " of " + PythonText.repr(text));
    }
}
