package io.millrace.udf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/// A text with `{column}` placeholders, parsed. `{{` and `}}` stand for braces.
public final class PromptTemplate {

    /// The placeholder of the text column.
    public static final String TEXT = "text";

    private final List<Part> parts;

    private PromptTemplate(List<Part> parts) {
        this.parts = List.copyOf(parts);
    }

    /// @throws IllegalArgumentException if a brace is not closed, or nothing is between two
    public static PromptTemplate parse(String template) {
        List<Part> parts = new ArrayList<>();
        StringBuilder literal = new StringBuilder();
        int at = 0;
        while (at < template.length()) {
            char c = template.charAt(at);
            if ((c == '{' || c == '}') && at + 1 < template.length() && template.charAt(at + 1) == c) {
                literal.append(c);
                at += 2;
            } else if (c == '{') {
                int end = template.indexOf('}', at);
                parts.add(new Literal(literal.toString()));
                literal.setLength(0);
                parts.add(new Placeholder(columnName(template, at, end)));
                at = end + 1;
            } else if (c == '}') {
                throw new IllegalArgumentException(
                        "prompt.template: expected {column} or }}, got a single } at character " + at);
            } else {
                literal.append(c);
                at++;
            }
        }
        parts.add(new Literal(literal.toString()));
        return new PromptTemplate(parts);
    }

    private static String columnName(String template, int open, int close) {
        if (close < 0) {
            throw new IllegalArgumentException("prompt.template: { at character " + open + " is not closed");
        }
        String name = template.substring(open + 1, close).strip();
        if (name.isEmpty() || name.indexOf('{') >= 0) {
            throw new IllegalArgumentException("prompt.template: expected {column} at character " + open + ", got "
                    + template.substring(open, close + 1));
        }
        return name;
    }

    /// Names of all placeholders but {@link #TEXT}, each once, in order.
    public List<String> columns() {
        return parts.stream()
                .flatMap(part -> part instanceof Placeholder(String column) ? List.of(column).stream() : null)
                .filter(column -> !column.equals(TEXT))
                .distinct()
                .toList();
    }

    /// How often the text column is used.
    public int textUses() {
        return Collections.frequency(parts, new Placeholder(TEXT));
    }

    /// The text with every placeholder filled in.
    ///
    /// @param text the value of the text column
    /// @param values values of the other columns by name
    public String render(String text, Function<String, String> values) {
        StringBuilder rendered = new StringBuilder();
        for (Part part : parts) {
            switch (part) {
                case Literal(String literal) -> rendered.append(literal);
                case Placeholder(String column) -> rendered.append(column.equals(TEXT) ? text : values.apply(column));
            }
        }
        return rendered.toString();
    }

    private sealed interface Part {}

    private record Literal(String text) implements Part {}

    private record Placeholder(String column) implements Part {}
}
