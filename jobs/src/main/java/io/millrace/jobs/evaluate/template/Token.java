package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonLiteral;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A word of an expression.
///
/// @param text of a string what it means, of all others what stands there
record Token(Kind kind, String text) {

    enum Kind {
        NAME,
        INTEGER,
        FLOAT,
        STRING,
        OPERATOR,
        END
    }

    static final Token END = new Token(Kind.END, "the end");

    private static final Pattern TOKEN = Pattern.compile("""
            \\s+\
            |(?<float>[0-9][0-9_]*(?:\\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))\
            |(?<integer>[0-9][0-9_]*)\
            |(?<name>[\\p{L}_][\\p{L}\\p{N}_]*)\
            |(?<string>'(?:[^'\\\\]|\\\\.)*+'|"(?:[^"\\\\]|\\\\.)*+")\
            |(?<operator>\\*\\*|//|==|!=|<=|>=|[-+*/%~|.,:()\\[\\]{}<>=])""", Pattern.DOTALL);

    /// The words of an expression, then {@link #END}.
    static List<Token> read(String expression) {
        List<Token> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(expression);
        int at = 0;
        while (at < expression.length()) {
            if (!matcher.find(at) || matcher.start() != at) {
                throw new TemplateException("unexpected '" + expression.charAt(at) + "' in {{" + expression + "}}");
            }
            add(tokens, matcher);
            at = matcher.end();
        }
        tokens.add(END);
        return tokens;
    }

    private static void add(List<Token> tokens, Matcher matcher) {
        String string = matcher.group("string");
        if (string != null) {
            tokens.add(new Token(Kind.STRING, PythonLiteral.unescaped(string.substring(1, string.length() - 1))));
        } else if (matcher.group("float") != null) {
            tokens.add(new Token(Kind.FLOAT, matcher.group().replace("_", "")));
        } else if (matcher.group("integer") != null) {
            tokens.add(new Token(Kind.INTEGER, matcher.group().replace("_", "")));
        } else if (matcher.group("name") != null) {
            tokens.add(new Token(Kind.NAME, matcher.group()));
        } else if (matcher.group("operator") != null) {
            tokens.add(new Token(Kind.OPERATOR, matcher.group()));
        }
    }

    boolean is(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }
}
