package io.millrace.engine.tokenizer;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Rewrites a split pattern of a tokenizer.json (Oniguruma, Ruby syntax, Unicode) as a
/// [java.util.regex.Pattern] that matches the same. The two dialects spell the same things differently (`\s`
/// and `\d` are ASCII in Java, `.` stops at other characters, `\h` and `{1,3}+` mean something else), so
/// nothing is passed through: each construct is read and written again, and one that is not known here is
/// refused.
///
/// Understood: alternation, groups `(…)`, `(?:…)`, `(?i:…)`, `(?i)` at the front, look-around, classes with
/// ranges, nesting, negation and `&&`, general categories and scripts, `\s \d \w \r \n \t`, `.`, and greedy,
/// lazy and possessive `? * +` and greedy `{m,n}`. A group that can match text of different lengths may not
/// repeat without bound: that is the form whose matching takes exponential time, and Java would recurse once
/// per repetition.
final class PatternTranslator {
    /// Java takes time in the square of a literal's length to compile it; the longest known pattern has 600 chars.
    static final int MAX_LENGTH = 10_000;

    private static final int MAX_DEPTH = 50;
    private static final int MAX_REPETITIONS = 100_000;
    private static final String WHITE_SPACE = "\\p{IsWhite_Space}";
    private static final String WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";
    private static final Set<String> CATEGORIES = Set.of(
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps",
            "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co",
            "Cn");
    private static final Map<Character, String> CONTROL_ESCAPES =
            Map.of('n', "\n", 'r', "\r", 't', "\t", 'f', "\f", 'v', "\u000B", 'a', "\u0007", 'e', "\u001B");

    private final String source;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private PatternTranslator(String source) {
        this.source = source;
    }

    /// @throws IllegalArgumentException with the offset and the reason, for a pattern that is malformed, too long, has
    ///     a construct not understood here, or matches the empty text
    static Pattern translate(String onigurumaPattern) {
        if (onigurumaPattern.length() > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "expected a pattern of at most " + MAX_LENGTH + " chars, got " + onigurumaPattern.length());
        }
        PatternTranslator translator = new PatternTranslator(onigurumaPattern);
        translator.alternation(0);
        if (translator.at < onigurumaPattern.length()) {
            throw translator.refused("unmatched ')'");
        }
        Pattern pattern = compile(translator);
        if (pattern.matcher("").find()) {
            throw translator.refused("it matches the empty text");
        }
        return pattern;
    }

    private static Pattern compile(PatternTranslator translator) {
        try {
            return Pattern.compile(translator.out.toString());
        } catch (PatternSyntaxException e) {
            throw translator.refused(e.getDescription());
        } catch (StackOverflowError e) {
            throw translator.refused("it is nested too deep");
        }
    }

    /// What a part can match, as far as repeating it is concerned.
    private enum Length {
        FIXED,
        VARYING;

        Length and(Length other) {
            return this == FIXED && other == FIXED ? FIXED : VARYING;
        }
    }

    private Length alternation(int depth) {
        if (depth > MAX_DEPTH) {
            throw refused("nested more than " + MAX_DEPTH + " deep");
        }
        Length length = sequence(depth);
        while (at < source.length() && source.charAt(at) == '|') {
            at++;
            out.append('|');
            sequence(depth);
            // the branches may differ in length
            length = Length.VARYING;
        }
        return length;
    }

    private Length sequence(int depth) {
        Length length = Length.FIXED;
        while (at < source.length() && source.charAt(at) != '|' && source.charAt(at) != ')') {
            length = length.and(quantified(depth));
        }
        return length;
    }

    private Length quantified(int depth) {
        boolean group = source.charAt(at) == '(';
        // a zero-width group or flag cannot be repeated sensibly
        boolean zeroWidth = group
                && source.startsWith("?", at + 1)
                && !source.startsWith("?:", at + 1)
                && !source.startsWith("?i:", at + 1);
        Length length = atom(depth);
        boolean quantified = false;
        while (at < source.length() && "?*+{".indexOf(source.charAt(at)) >= 0) {
            if (quantified) {
                throw refused("a quantifier on a quantifier");
            }
            if (zeroWidth) {
                throw refused("a quantifier on a group without width");
            }
            boolean unbounded = quantifier();
            if (unbounded && group && length == Length.VARYING) {
                throw refused("a repeated group of varying length, whose matching can take exponential time");
            }
            quantified = true;
        }
        return quantified ? Length.VARYING : length;
    }

    /// Whether it has no upper bound.
    private boolean quantifier() {
        char c = source.charAt(at);
        if (c == '{') {
            return interval();
        }
        out.append(c);
        at++;
        if (at < source.length() && (source.charAt(at) == '?' || source.charAt(at) == '+')) {
            out.append(source.charAt(at++));
        }
        return c != '?';
    }

    private boolean interval() {
        int close = source.indexOf('}', at);
        String body = close < 0 ? "" : source.substring(at + 1, close);
        if (!body.matches("[0-9]{1,6}(,[0-9]{0,6})?|,[0-9]{1,6}")) {
            throw refused("'{' that is not an interval");
        }
        int comma = body.indexOf(',');
        int least = comma == 0 ? 0 : Integer.parseInt(comma < 0 ? body : body.substring(0, comma));
        boolean unbounded = comma == body.length() - 1;
        int most = comma < 0 ? least : unbounded ? MAX_REPETITIONS : Integer.parseInt(body.substring(comma + 1));
        if (least > most || most > MAX_REPETITIONS) {
            throw refused("interval {" + body + "} out of order or above " + MAX_REPETITIONS);
        }
        at = close + 1;
        // after an interval '?' and '+' mean other things in Ruby's syntax than in Java's
        if (at < source.length() && (source.charAt(at) == '?' || source.charAt(at) == '+')) {
            throw refused("a lazy or possessive interval");
        }
        out.append('{').append(least).append(',').append(unbounded ? "" : most).append('}');
        return unbounded;
    }

    private Length atom(int depth) {
        char c = source.charAt(at);
        switch (c) {
            case '(' -> {
                return group(depth);
            }
            case '[' -> out.append(characterClass(depth));
            case '\\' -> out.append(escape());
            case '.' -> {
                at++;
                out.append("[^\\n]");
            }
            case '^', '$' -> throw refused("the anchor " + c);
            case '*', '+', '?', '{' -> throw refused("a quantifier without anything before it");
            default -> out.append(literal(nextCodePoint()));
        }
        return Length.FIXED;
    }

    private Length group(int depth) {
        if (source.startsWith("(?i)", at)) {
            if (at != 0) {
                throw refused("(?i) that is not at the front");
            }
            at += 4;
            out.append("(?iu)");
            return Length.FIXED;
        }
        String opening = opening();
        at += opening.length();
        out.append(opening.equals("(?i:") ? "(?iu:" : opening.equals("(") ? "(?:" : opening);
        Length length = alternation(depth + 1);
        if (at >= source.length()) {
            throw refused("a group is not closed");
        }
        at++;
        out.append(')');
        return length;
    }

    private String opening() {
        for (String opening : new String[] {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"}) {
            if (source.startsWith(opening, at)) {
                return opening;
            }
        }
        if (source.startsWith("(?", at)) {
            throw refused("the group " + source.substring(at, Math.min(source.length(), at + 4)) + "…");
        }
        return "(";
    }

    private String characterClass(int depth) {
        if (depth > MAX_DEPTH) {
            throw refused("nested more than " + MAX_DEPTH + " deep");
        }
        int opened = at++;
        boolean negated = at < source.length() && source.charAt(at) == '^';
        if (negated) {
            at++;
        }
        StringBuilder operand = new StringBuilder();
        StringBuilder java = new StringBuilder();
        while (true) {
            if (at >= source.length()) {
                throw refused("the class at " + opened + " is not closed");
            }
            if (source.charAt(at) == ']') {
                break;
            }
            if (source.startsWith("&&", at)) {
                at += 2;
                java.append(operandClass(operand, opened)).append("&&");
                operand.setLength(0);
            } else {
                operand.append(classItem(depth));
            }
        }
        at++;
        java.append(operandClass(operand, opened));
        return (negated ? "[^" : "[") + java + "]";
    }

    private String operandClass(StringBuilder operand, int opened) {
        if (operand.isEmpty()) {
            throw refused("the class at " + opened + " has an empty part");
        }
        return "[" + operand + "]";
    }

    private String classItem(int depth) {
        char c = source.charAt(at);
        if (c == '[') {
            if (source.startsWith("[:", at)) {
                throw refused("a POSIX bracket");
            }
            return characterClass(depth + 1);
        }
        int low = classCodePoint();
        if (low < 0) {
            return escape();
        }
        if (source.startsWith("-", at) && !source.startsWith("-]", at)) {
            at++;
            int high = at < source.length() && source.charAt(at) != '[' ? classCodePoint() : -1;
            if (high < low) {
                throw refused("a range whose end is not a character above its start");
            }
            return literal(low) + "-" + literal(high);
        }
        return literal(low);
    }

    /// The single character written at this place of a class, or -1 (and nothing consumed) for an escape
    /// that stands for a set.
    private int classCodePoint() {
        if (source.charAt(at) != '\\') {
            return nextCodePoint();
        }
        return at + 1 < source.length() && "sSdDwWpP".indexOf(source.charAt(at + 1)) >= 0 ? -1 : escapedCodePoint();
    }

    private String escape() {
        char kind = at + 1 < source.length() ? source.charAt(at + 1) : 0;
        switch (kind) {
            case 's', 'S', 'd', 'D', 'w', 'W' -> {
                at += 2;
                return switch (kind) {
                    case 's' -> WHITE_SPACE;
                    case 'S' -> "[^" + WHITE_SPACE + "]";
                    case 'd' -> "\\p{Nd}";
                    case 'D' -> "\\P{Nd}";
                    case 'w' -> "[" + WORD + "]";
                    default -> "[^" + WORD + "]";
                };
            }
            case 'p', 'P' -> {
                return property(kind == 'P');
            }
            default -> {
                return literal(escapedCodePoint());
            }
        }
    }

    private String property(boolean complement) {
        int close = source.indexOf('}', at);
        if (!source.startsWith("{", at + 2) || close < 0) {
            throw refused("a property without braces");
        }
        String name = source.substring(at + 3, close);
        boolean negated = complement ^ name.startsWith("^");
        String java = propertyName(name.startsWith("^") ? name.substring(1) : name);
        at = close + 1;
        return (negated ? "\\P{" : "\\p{") + java + "}";
    }

    private String propertyName(String name) {
        if (CATEGORIES.contains(name)) {
            return name;
        }
        try {
            return "Is" + Character.UnicodeScript.forName(name).name();
        } catch (IllegalArgumentException e) {
            throw refused("the property " + name);
        }
    }

    /// The character behind a backslash; consumes both.
    private int escapedCodePoint() {
        at++;
        if (at >= source.length()) {
            throw refused("a backslash at the end");
        }
        int c = nextCodePoint();
        String control = c < 128 ? CONTROL_ESCAPES.get((char) c) : null;
        if (control != null) {
            return control.charAt(0);
        }
        if (c == 'x' || c == 'u') {
            return hexadecimal(c == 'u' ? 4 : 2);
        }
        if (Character.isLetterOrDigit(c)) {
            throw refused("the escape \\" + Character.toString(c));
        }
        return c;
    }

    private int hexadecimal(int digits) {
        boolean braces = digits == 2 && source.startsWith("{", at);
        int start = braces ? at + 1 : at;
        int end = braces ? source.indexOf('}', at) : at + digits;
        String text = end < start || end > source.length() ? "" : source.substring(start, end);
        if (!text.matches("[0-9A-Fa-f]{1,8}")) {
            throw refused("a hexadecimal escape without its digits");
        }
        long value = Long.parseLong(text, 16);
        if (value > Character.MAX_CODE_POINT) {
            throw refused("U+" + text.toUpperCase(Locale.ROOT) + ", which is not a code point");
        }
        at = braces ? end + 1 : end;
        return (int) value;
    }

    private int nextCodePoint() {
        int c = source.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    private static String literal(int codePoint) {
        return "\\x{" + Integer.toHexString(codePoint) + "}";
    }

    private IllegalArgumentException refused(String what) {
        return new IllegalArgumentException("at offset " + at + " of the pattern \"" + source + "\": " + what);
    }
}
