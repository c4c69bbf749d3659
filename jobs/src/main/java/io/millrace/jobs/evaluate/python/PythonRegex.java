package io.millrace.jobs.evaluate.python;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A regular expression as Python's `re` reads it.
///
/// Where the two notations part, it is rewritten: named groups, `\Z`, `\w`, brackets and `&&` within a
/// class. Classes such as `\d` and `\s` are Unicode's, and `$` and `.` know no end of line but `\n`. Not
/// rewritten, and so an error or another meaning: conditional groups, `(?#comments)`, possessive
/// quantifiers of Java's.
public final class PythonRegex {
    private static final int FLAGS = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES;
    /// Letters and numbers, but not the marks upon them, which Java has besides.
    private static final String WORD = "\\p{L}\\p{N}_";

    private final Pattern pattern;

    private PythonRegex(Pattern pattern) {
        this.pattern = pattern;
    }

    /// @throws java.util.regex.PatternSyntaxException if it is none
    public static PythonRegex compile(String expression) {
        return new PythonRegex(Pattern.compile(rewritten(expression), FLAGS));
    }

    /// With `re.IGNORECASE`.
    ///
    /// @throws java.util.regex.PatternSyntaxException if it is none
    public static PythonRegex ignoringCase(String expression) {
        return new PythonRegex(
                Pattern.compile(rewritten(expression), FLAGS | Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE));
    }

    private static String rewritten(String expression) {
        StringBuilder java = new StringBuilder();
        boolean inClass = false;
        int classStart = 0;
        for (int at = 0; at < expression.length(); at++) {
            char c = expression.charAt(at);
            if (c == '\\' && at + 1 < expression.length()) {
                char escaped = expression.charAt(++at);
                java.append(escaped(escaped, inClass));
            } else if (inClass) {
                // a bracket that closes right behind the opening one is meant itself
                boolean first = at == classStart;
                if (c == ']' && !first) {
                    inClass = false;
                    java.append(c);
                } else if (c == '^' && first) {
                    classStart++;
                    java.append(c);
                } else if (c == '[' || c == ']' || c == '&') {
                    java.append('\\').append(c);
                } else {
                    java.append(c);
                }
            } else if (c == '[') {
                inClass = true;
                classStart = at + 1;
                java.append(c);
            } else if (expression.startsWith("(?P<", at)) {
                java.append("(?<");
                at += 3;
            } else if (expression.startsWith("(?P=", at)) {
                int close = expression.indexOf(')', at);
                java.append("\\k<").append(expression, at + 4, close).append('>');
                at = close;
            } else {
                java.append(c);
            }
        }
        return java.toString();
    }

    private static String escaped(char escaped, boolean inClass) {
        return switch (escaped) {
            case 'w' -> inClass ? WORD : "[" + WORD + "]";
            case 'W' -> "[^" + WORD + "]";
            case 'Z' -> inClass ? "\\Z" : "\\z";
            default -> "\\" + escaped;
        };
    }

    /// Whether `re.search` finds it.
    public boolean isIn(String text) {
        return pattern.matcher(text).find();
    }

    /// `re.split`, of an expression without groups that matches no empty text.
    public List<String> split(String text) {
        return List.of(pattern.split(text, -1));
    }

    /// `re.findall`: of each match the groups, or all of it if the expression has none. A group that
    /// took no part is empty.
    public List<List<String>> findAll(String text) {
        List<List<String>> all = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            List<String> groups = new ArrayList<>();
            for (int group = matcher.groupCount() == 0 ? 0 : 1; group <= matcher.groupCount(); group++) {
                String value = matcher.group(group);
                groups.add(value == null ? "" : value);
            }
            all.add(groups);
        }
        return all;
    }

    /// `re.sub`, the replacement being plain text or with `\1` for a group.
    public String replaceAll(String text, String replacement) {
        return pattern.matcher(text).replaceAll(javaReplacement(replacement));
    }

    private static String javaReplacement(String replacement) {
        StringBuilder java = new StringBuilder();
        for (int at = 0; at < replacement.length(); at++) {
            char c = replacement.charAt(at);
            char next = at + 1 < replacement.length() ? replacement.charAt(at + 1) : ' ';
            if (c == '\\' && Character.isDigit(next)) {
                java.append('$').append(next);
                at++;
            } else if (c == '\\' && next == 'n') {
                java.append('\n');
                at++;
            } else if (c == '\\' || c == '$') {
                java.append('\\').append(c);
            } else {
                java.append(c);
            }
        }
        return java.toString();
    }
}
