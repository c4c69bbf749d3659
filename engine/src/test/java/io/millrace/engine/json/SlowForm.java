package io.millrace.engine.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// The slow and obvious twin of {@link JsonAutomaton}: reads a whole text anew by recursive descent,
/// straight from the schema, and says whether it is a value of it or the beginning of one. Characters
/// are bytes.
final class SlowForm {
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
    private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9][0-9]*)");
    private static final Pattern SHORT = Pattern.compile("\\\\[\"\\\\/bfnrt]");
    private static final Pattern ESCAPE = Pattern.compile("\\\\([\"\\\\/bfnrt]|u("
            + "[0-9a-cA-CeEfF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
            + "|[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}))");
    /// Every part of a character's UTF-8 that is not the whole, with the first and last character that
    /// begins so.
    private static final Map<String, int[]> BEGINNINGS = beginnings();
    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonNode root;
    private final String text;
    private boolean ranOut;

    private SlowForm(JsonNode root, byte[] text) {
        this.root = root;
        this.text = new String(text, StandardCharsets.ISO_8859_1);
    }

    static boolean isWhole(JsonNode schema, byte[] text) {
        return new SlowForm(schema, text).value(schema, 0).contains(text.length);
    }

    static boolean isBeginning(JsonNode schema, byte[] text) {
        SlowForm form = new SlowForm(schema, text);
        return form.value(schema, 0).contains(text.length) || form.ranOut;
    }

    private boolean isOut(int at) {
        ranOut |= at == text.length();
        return at >= text.length();
    }

    /// Behind at most 20 characters of space; beyond the text if there are more.
    private int spaces(int from) {
        int at = from;
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return at - from <= 20 ? at : text.length() + 1;
    }

    private Set<Integer> value(JsonNode schema, int from) {
        int at = spaces(from);
        Set<Integer> ends = new HashSet<>();
        if (isOut(at)) {
            return ends;
        }
        if (schema.has("$ref")) {
            return value(root.at(schema.path("$ref").asText().substring(1)), at);
        }
        schema.path("anyOf").forEach(each -> ends.addAll(value(each, at)));
        schema.path("enum").forEach(each -> literal(each.toString(), at, ends));
        if (schema.has("const")) {
            literal(schema.path("const").toString(), at, ends);
        }
        if (schema.has("anyOf") || schema.has("enum") || schema.has("const")) {
            return ends;
        }
        JsonNode type = schema.path("type");
        List<String> types = type.isMissingNode()
                ? List.of("object", "array", "string", "number", "boolean", "null")
                : type.isArray() ? Arrays.asList(JSON.convertValue(type, String[].class)) : List.of(type.asText());
        for (String each : types) {
            switch (each) {
                case "null" -> literal("null", at, ends);
                case "boolean" -> {
                    literal("true", at, ends);
                    literal("false", at, ends);
                }
                case "number" -> number(NUMBER, at, ends);
                case "integer" -> number(INTEGER, at, ends);
                case "string" -> string(schema, at, ends);
                case "array" -> {
                    if (text.charAt(at) == '[') {
                        items(schema, at + 1, 0, ends);
                    }
                }
                default -> {
                    if (text.charAt(at) == '{') {
                        members(schema, at + 1, Set.of(), true, ends);
                    }
                }
            }
        }
        return ends;
    }

    private void literal(String json, int at, Set<Integer> ends) {
        String bytes = new String(json.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        if (text.startsWith(bytes, at)) {
            ends.add(at + bytes.length());
        } else if (bytes.startsWith(text.substring(at))) {
            ranOut = true;
        }
    }

    private void number(Pattern pattern, int at, Set<Integer> ends) {
        for (int end = at + 1; end <= text.length(); end++) {
            if (pattern.matcher(text.substring(at, end)).matches()) {
                ends.add(end);
            }
        }
        Matcher rest = pattern.matcher(text.substring(at));
        ranOut |= rest.matches() || rest.hitEnd();
    }

    private void string(JsonNode schema, int at, Set<Integer> ends) {
        int least = schema.path("minLength").asInt(0);
        int most = schema.path("maxLength").asInt(Integer.MAX_VALUE);
        boolean free = !schema.has("pattern");
        Pattern pattern = Pattern.compile(free ? ".*" : schema.path("pattern").asText(), Pattern.DOTALL);
        Predicate<String> viable = soFar -> {
            Matcher matcher = pattern.matcher(soFar);
            return soFar.codePointCount(0, soFar.length()) <= most && (matcher.matches() || matcher.hitEnd());
        };
        Named named = characters(at, viable, free);
        if (named.end() >= 0
                && named.name().codePointCount(0, named.name().length()) >= least
                && pattern.matcher(named.name()).matches()) {
            ends.add(named.end());
        }
    }

    /// @param end behind the closing quote; -1 if there is none
    private record Named(String name, int end) {}

    /// Reads a string.
    ///
    /// @param viable which beginnings of it may go on
    private Named characters(int from, Predicate<String> viable, boolean anyEscape) {
        if (text.charAt(from) != '"') {
            return new Named("", -1);
        }
        int at = from + 1;
        String name = "";
        while (at < text.length() && text.charAt(at) != '"') {
            String rest = text.substring(at);
            Matcher escape = (anyEscape ? ESCAPE : SHORT).matcher(rest);
            if (rest.charAt(0) == '\\' && escape.lookingAt()) {
                name += unescaped(escape.group());
                at += escape.end();
            } else if (rest.charAt(0) == '\\') {
                String before = name;
                ranOut |= escape.hitEnd()
                        && (rest.length() > 1
                                || "\"\\/\b\f\n\r\t".chars().anyMatch(c -> viable.test(before + (char) c)));
                return new Named("", -1);
            } else {
                int size = 1;
                while (size < 4 && size < rest.length() && BEGINNINGS.containsKey(rest.substring(0, size))) {
                    size++;
                }
                String bytes = rest.substring(0, size);
                if (BEGINNINGS.containsKey(bytes) && size == rest.length()) {
                    String before = name;
                    ranOut |= completions(bytes).anyMatch(c -> viable.test(before + Character.toString(c)));
                    return new Named("", -1);
                }
                String character = new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
                if (character.codePointCount(0, character.length()) != 1
                        || character.equals("\uFFFD") && !bytes.equals("\u00EF\u00BF\u00BD")
                        || character.charAt(0) < 0x20) {
                    return new Named("", -1);
                }
                name += character;
                at += size;
            }
            if (!viable.test(name)) {
                return new Named("", -1);
            }
        }
        return isOut(at) ? new Named("", -1) : new Named(name, at + 1);
    }

    private static IntStream completions(String bytes) {
        int[] range = BEGINNINGS.get(bytes);
        return IntStream.rangeClosed(range[0], range[1]);
    }

    private static String utf8(int codePoint) {
        return new String(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private static Map<String, int[]> beginnings() {
        Map<String, int[]> parts = new HashMap<>();
        for (int c = 0x80; c <= 0x10FFFF; c++) {
            if (c < 0xD800 || c > 0xDFFF) {
                String bytes = utf8(c);
                for (int size = 1; size < bytes.length(); size++) {
                    parts.computeIfAbsent(bytes.substring(0, size), _ -> new int[2])[1] = c;
                    int[] range = parts.get(bytes.substring(0, size));
                    range[0] = range[0] == 0 ? c : range[0];
                }
            }
        }
        return parts;
    }

    private static String unescaped(String escape) {
        try {
            return JSON.readTree('"' + escape + '"').textValue();
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException(escape, e);
        }
    }

    private void items(JsonNode schema, int from, int count, Set<Integer> ends) {
        int at = spaces(from);
        if (isOut(at)) {
            return;
        }
        if (text.charAt(at) == ']') {
            if (count >= schema.path("minItems").asInt(0)) {
                ends.add(at + 1);
            }
            return;
        }
        if (count == schema.path("maxItems").asInt(Integer.MAX_VALUE) || count > 0 && text.charAt(at) != ',') {
            return;
        }
        JsonNode each = schema.has("items") ? schema.path("items") : JSON.createObjectNode();
        for (int end : value(each, count > 0 ? at + 1 : at)) {
            items(schema, end, count + 1, ends);
        }
    }

    private void members(JsonNode schema, int from, Set<String> seen, boolean first, Set<Integer> ends) {
        int at = spaces(from);
        if (isOut(at)) {
            return;
        }
        Set<String> required = new HashSet<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        if (text.charAt(at) == '}') {
            if (seen.containsAll(required)) {
                ends.add(at + 1);
            }
            return;
        }
        JsonNode more = schema.path("additionalProperties");
        boolean closed = more.isBoolean() && !more.booleanValue();
        Set<String> left = new HashSet<>();
        for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
            left.add(property.getKey());
        }
        left.removeAll(seen);
        if (closed && left.isEmpty()) {
            return;
        }
        if (!first) {
            if (text.charAt(at) != ',') {
                return;
            }
            at = spaces(at + 1);
            if (isOut(at)) {
                return;
            }
        }
        Named name =
                characters(at, soFar -> !closed || left.stream().anyMatch(each -> each.startsWith(soFar)), !closed);
        boolean fits = name.end() >= 0 && !seen.contains(name.name()) && (!closed || left.contains(name.name()));
        if (!fits) {
            return;
        }
        int colon = spaces(name.end());
        if (isOut(colon) || text.charAt(colon) != ':') {
            return;
        }
        JsonNode value = schema.path("properties").has(name.name())
                ? schema.path("properties").path(name.name())
                : more.isObject() ? more : JSON.createObjectNode();
        Set<String> now = new HashSet<>(seen);
        now.add(name.name());
        for (int end : value(value, colon + 1)) {
            members(schema, end, now, false, ends);
        }
    }
}
