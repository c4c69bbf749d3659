package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonText;
import io.millrace.jobs.evaluate.template.Template.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Cuts a template into text and tags, and nests what the tags enclose.
final class TemplateParser {
    private static final Pattern OPENING = Pattern.compile("\\{\\{|\\{%|\\{#");
    private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*[-+]?%}");
    private static final Pattern END_RAW = Pattern.compile("\\{%[-+]?\\s*endraw\\s*[-+]?%}");

    private final List<Piece> pieces = new ArrayList<>();
    private int at;

    /// Text, an expression or a statement.
    private record Piece(Kind kind, String text) {
        enum Kind {
            TEXT,
            EXPRESSION,
            STATEMENT
        }

        String word() {
            String text = text().strip();
            int end = 0;
            while (end < text.length() && Character.isLetter(text.charAt(end))) {
                end++;
            }
            return kind == Kind.STATEMENT ? text.substring(0, end) : "";
        }

        String behindWord() {
            return text().strip().substring(word().length());
        }
    }

    TemplateParser(String source) {
        cut(source);
    }

    private void cut(String source) {
        int from = 0;
        boolean trim = false;
        Matcher opening = OPENING.matcher(source);
        while (opening.find(from)) {
            int open = opening.start();
            text(source.substring(from, open), trim, source.startsWith("-", open + 2));
            Matcher raw = RAW.matcher(source).region(open, source.length());
            if (raw.lookingAt()) {
                Matcher end = END_RAW.matcher(source);
                if (!end.find(raw.end())) {
                    throw new TemplateException("{% raw %}: expected {% endraw %}");
                }
                text(source.substring(raw.end(), end.start()), false, false);
                from = end.end();
                trim = end.group().endsWith("-%}");
                continue;
            }
            int close = close(source, open);
            trim = source.charAt(close - 1) == '-' && close - 1 > open + 2;
            tag(source, open, trim ? close - 1 : close);
            from = close + 2;
        }
        text(source.substring(from), trim, false);
    }

    private void text(String text, boolean trimStart, boolean trimEnd) {
        String kept = PythonText.strip(text, PythonText::isSpace, trimStart, trimEnd);
        if (!kept.isEmpty()) {
            pieces.add(new Piece(Piece.Kind.TEXT, kept));
        }
    }

    private void tag(String source, int open, int end) {
        int start = open + 2;
        if (start < end && (source.charAt(start) == '-' || source.charAt(start) == '+')) {
            start++;
        }
        switch (source.charAt(open + 1)) {
            case '{' -> pieces.add(new Piece(Piece.Kind.EXPRESSION, source.substring(start, end)));
            case '%' -> pieces.add(new Piece(Piece.Kind.STATEMENT, source.substring(start, end)));
            default -> {
                // a comment
            }
        }
    }

    /// Where a tag ends: not within a string, and for an expression not within brackets.
    private static int close(String source, int open) {
        String closing = switch (source.charAt(open + 1)) {
            case '{' -> "}}";
            case '%' -> "%}";
            default -> "#}";
        };
        int depth = 0;
        for (int index = open + 2; index < source.length(); index++) {
            char c = source.charAt(index);
            if (depth == 0 && source.startsWith(closing, index)) {
                return index;
            }
            if (!closing.equals("#}") && (c == '\'' || c == '"')) {
                index = endOfString(source, index);
            } else if (c == '{') {
                depth++;
            } else if (c == '}') {
                depth--;
            }
        }
        throw new TemplateException("expected " + closing + " behind character " + open + " of " + source);
    }

    private static int endOfString(String source, int open) {
        for (int index = open + 1; index < source.length(); index++) {
            if (source.charAt(index) == '\\') {
                index++;
            } else if (source.charAt(index) == source.charAt(open)) {
                return index;
            }
        }
        throw new TemplateException("a string that begins at character " + open + " is not closed: " + source);
    }

    /// All of it.
    List<Node> template() {
        List<Node> nodes = until(Set.of());
        if (at < pieces.size()) {
            throw new TemplateException("unexpected {%" + pieces.get(at).text() + "%}");
        }
        return nodes;
    }

    private List<Node> until(Set<String> words) {
        List<Node> nodes = new ArrayList<>();
        while (at < pieces.size()) {
            Piece piece = pieces.get(at);
            if (words.contains(piece.word())) {
                return nodes;
            }
            at++;
            nodes.add(
                    switch (piece.kind()) {
                        case TEXT -> new Template.Text(piece.text());
                        case EXPRESSION -> new Template.Output(ExpressionParser.parse(piece.text()));
                        case STATEMENT -> statement(piece);
                    });
        }
        if (!words.isEmpty()) {
            throw new TemplateException("expected one of " + words + ", got the end");
        }
        return nodes;
    }

    private Node statement(Piece piece) {
        return switch (piece.word()) {
            case "set" -> assignment(piece);
            case "if" -> choice(piece);
            case "for" -> loop(piece);
            default -> throw new TemplateException("no statement: {%" + piece.text() + "%}");
        };
    }

    private static Node assignment(Piece piece) {
        ExpressionParser parser = new ExpressionParser(piece.behindWord());
        String name = parser.name();
        parser.require("=");
        Expression value = parser.expression();
        parser.requireEnd();
        return new Template.Assignment(name, value);
    }

    private Node choice(Piece first) {
        List<Expression> conditions = new ArrayList<>();
        List<List<Node>> branches = new ArrayList<>();
        conditions.add(ExpressionParser.parse(first.behindWord()));
        while (true) {
            branches.add(until(Set.of("elif", "else", "endif")));
            Piece piece = pieces.get(at++);
            if (piece.word().equals("endif")) {
                return new Template.Choice(conditions, branches);
            }
            if (piece.word().equals("elif")) {
                conditions.add(ExpressionParser.parse(piece.behindWord()));
            }
        }
    }

    private Node loop(Piece first) {
        ExpressionParser parser = new ExpressionParser(first.behindWord());
        List<String> names = new ArrayList<>(List.of(parser.name()));
        while (parser.accept(",")) {
            names.add(parser.name());
        }
        if (!parser.acceptName("in")) {
            throw parser.unexpected("in");
        }
        Expression over = parser.disjunction();
        Expression condition = parser.acceptName("if") ? parser.disjunction() : null;
        parser.requireEnd();
        List<Node> body = until(Set.of("else", "endfor"));
        List<Node> otherwise = List.of();
        if (pieces.get(at++).word().equals("else")) {
            otherwise = until(Set.of("endfor"));
            at++;
        }
        return new Template.Loop(names, over, condition, body, otherwise);
    }
}
