package io.millrace.engine.json;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The texts in which a regular expression of JSON Schema (ECMA-262) finds something. What may follow a
/// code point is the expression's derivative by it (Brzozowski, Derivatives of Regular Expressions, J.
/// ACM 11(4), 1964).
///
/// Characters, classes, `.`, groups, `|`, `*`, `+`, `?`, `{m,n}`, and `^` and `$` at its two ends are
/// known; what looks around or back is not.
record Pattern(Node node) implements Language {

    /// Code points that a JSON string can hold without `\\u`.
    private static final Chars ALPHABET =
            new Chars(List.of(range('\b', '\n'), range('\f', '\r'), range(0x20, 0xD7FF), range(0xE000, 0x10FFFF)));
    private static final int MOST_COPIES = 1000;

    /// @throws io.millrace.engine.api.EngineException INVALID_REQUEST if it is none, or has what is not
    ///     known
    static Pattern read(String expression, String place) {
        boolean fromStart = expression.startsWith("^");
        boolean toEnd = expression.endsWith("$") && !expression.endsWith("\\$");
        String inner = expression.substring(
                fromStart ? 1 : 0, Math.max(fromStart ? 1 : 0, expression.length() - (toEnd ? 1 : 0)));
        Parser parser = new Parser(inner, expression, place);
        Node node = parser.whole();
        if ((fromStart || toEnd) && parser.hasChoice) {
            // an anchor would belong to one side of it only
            throw SchemaReader.refused(place, "a choice in parentheses between ^ and $, got " + expression);
        }
        Node any = new Star(ALPHABET);
        return new Pattern(seq(fromStart ? EMPTY : any, seq(node, toEnd ? EMPTY : any)));
    }

    @Override
    public @Nullable Language next(int codePoint) {
        Node next = node.after(codePoint);
        return next == null ? null : new Pattern(next);
    }

    @Override
    public boolean mayEnd() {
        return node.mayEnd();
    }

    @Override
    public boolean admits(int first, int last) {
        return node.admits(first, last);
    }

    /// An expression that some text matches.
    private sealed interface Node {
        /// What is left of it behind a code point; null if none begins with that.
        @Nullable
        Node after(int codePoint);

        boolean mayEnd();

        boolean admits(int first, int last);
    }

    private static final Node EMPTY = new Empty();

    private record Empty() implements Node {
        @Override
        public @Nullable Node after(int codePoint) {
            return null;
        }

        @Override
        public boolean mayEnd() {
            return true;
        }

        @Override
        public boolean admits(int first, int last) {
            return false;
        }
    }

    private record Range(int first, int last) {}

    private static Range range(int first, int last) {
        return new Range(first, last);
    }

    /// @param ranges in order, apart
    private record Chars(List<Range> ranges) implements Node {
        @Override
        public @Nullable Node after(int codePoint) {
            return admits(codePoint, codePoint) ? EMPTY : null;
        }

        @Override
        public boolean mayEnd() {
            return false;
        }

        @Override
        public boolean admits(int first, int last) {
            return ranges.stream().anyMatch(range -> range.first <= last && range.last >= first);
        }

        /// All others of the alphabet.
        Chars others() {
            List<Range> others = new ArrayList<>();
            for (Range known : ALPHABET.ranges) {
                int from = known.first;
                for (Range range : ranges) {
                    if (range.last >= from && range.first <= known.last) {
                        if (range.first > from) {
                            others.add(range(from, range.first - 1));
                        }
                        from = range.last + 1;
                    }
                }
                if (from <= known.last) {
                    others.add(range(from, known.last));
                }
            }
            return new Chars(others);
        }

        static Chars of(List<Range> ranges) {
            List<Range> sorted = new ArrayList<>(ranges);
            sorted.sort(java.util.Comparator.comparingInt(Range::first));
            List<Range> apart = new ArrayList<>();
            for (Range range : sorted) {
                if (!apart.isEmpty() && range.first <= apart.getLast().last + 1) {
                    Range before = apart.removeLast();
                    apart.add(range(before.first, Math.max(before.last, range.last)));
                } else {
                    apart.add(range);
                }
            }
            return new Chars(apart);
        }
    }

    private record Seq(Node head, Node tail) implements Node {
        @Override
        public @Nullable Node after(int codePoint) {
            Node inHead = head.after(codePoint);
            Node first = inHead == null ? null : seq(inHead, tail);
            return head.mayEnd() ? or(first, tail.after(codePoint)) : first;
        }

        @Override
        public boolean mayEnd() {
            return head.mayEnd() && tail.mayEnd();
        }

        @Override
        public boolean admits(int first, int last) {
            return head.admits(first, last) || (head.mayEnd() && tail.admits(first, last));
        }
    }

    private record Or(Set<Node> nodes) implements Node {
        @Override
        public @Nullable Node after(int codePoint) {
            Node all = null;
            for (Node node : nodes) {
                all = or(all, node.after(codePoint));
            }
            return all;
        }

        @Override
        public boolean mayEnd() {
            return nodes.stream().anyMatch(Node::mayEnd);
        }

        @Override
        public boolean admits(int first, int last) {
            return nodes.stream().anyMatch(node -> node.admits(first, last));
        }
    }

    private record Star(Node node) implements Node {
        @Override
        public @Nullable Node after(int codePoint) {
            Node after = node.after(codePoint);
            return after == null ? null : seq(after, this);
        }

        @Override
        public boolean mayEnd() {
            return true;
        }

        @Override
        public boolean admits(int first, int last) {
            return node.admits(first, last);
        }
    }

    /// Leaning to the right, so that equal expressions are written alike and there are finitely many.
    private static Node seq(Node head, Node tail) {
        if (head instanceof Empty) {
            return tail;
        }
        if (tail instanceof Empty) {
            return head;
        }
        return head instanceof Seq(Node first, Node rest) ? new Seq(first, seq(rest, tail)) : new Seq(head, tail);
    }

    private static @Nullable Node or(@Nullable Node one, @Nullable Node other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        Set<Node> nodes = new LinkedHashSet<>();
        for (Node node : List.of(one, other)) {
            if (node instanceof Or(Set<Node> inner)) {
                nodes.addAll(inner);
            } else {
                nodes.add(node);
            }
        }
        return nodes.size() == 1 ? nodes.iterator().next() : new Or(Set.copyOf(nodes));
    }

    private static final class Parser {
        private final String text;
        private final String expression;
        private final String place;
        private int at;
        private int depth;
        private boolean hasChoice;

        Parser(String text, String expression, String place) {
            this.text = text;
            this.expression = expression;
            this.place = place;
        }

        Node whole() {
            Node node = choice();
            if (at < text.length()) {
                throw wrong("an end");
            }
            return node;
        }

        private Node choice() {
            Node node = sequence();
            while (eat('|')) {
                hasChoice |= depth == 0;
                Node other = or(node, sequence());
                node = other == null ? node : other;
            }
            return node;
        }

        private Node sequence() {
            List<Node> parts = new ArrayList<>();
            while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
                parts.add(repeated(atom()));
            }
            Node node = EMPTY;
            for (Node part : parts.reversed()) {
                node = seq(part, node);
            }
            return node;
        }

        private Node repeated(Node atom) {
            Node node = atom;
            if (eat('*')) {
                node = new Star(atom);
            } else if (eat('+')) {
                node = seq(atom, new Star(atom));
            } else if (eat('?')) {
                node = optional(atom);
            } else if (at < text.length() && text.charAt(at) == '{') {
                node = copies(atom);
            } else {
                return atom;
            }
            // lazy or not, the same texts match
            eat('?');
            return node;
        }

        private static Node optional(Node node) {
            Node either = or(EMPTY, node);
            return either == null ? EMPTY : either;
        }

        private Node copies(Node atom) {
            int close = text.indexOf('}', at);
            String inside = close < 0 ? "" : text.substring(at + 1, close);
            if (!inside.matches("\\d{1,4}(,(\\d{1,4})?)?")) {
                throw wrong("{m}, {m,} or {m,n}");
            }
            String[] bounds = inside.split(",", -1);
            int least = Integer.parseInt(bounds[0]);
            boolean open = bounds.length == 2 && bounds[1].isEmpty();
            int most = bounds.length == 1 || open ? least : Integer.parseInt(bounds[1]);
            if (most < least || most > MOST_COPIES) {
                throw wrong("at most " + MOST_COPIES + " copies, and no more at least than at most");
            }
            at = close + 1;
            Node node = open ? new Star(atom) : EMPTY;
            for (int copy = least; copy < most; copy++) {
                node = optional(seq(atom, node));
            }
            for (int copy = 0; copy < least; copy++) {
                node = seq(atom, node);
            }
            return node;
        }

        private Node atom() {
            int c = text.codePointAt(at);
            switch (c) {
                case '(' -> {
                    return group();
                }
                case '[' -> {
                    return bracket();
                }
                case '.' -> {
                    at++;
                    return Chars.of(List.of(range('\n', '\n'), range('\r', '\r'), range(0x2028, 0x2029)))
                            .others();
                }
                case '\\' -> {
                    return some(escape());
                }
                case '*', '+', '?', '{', '^', '$' -> throw wrong("a character, class or group");
                default -> {
                    at += Character.charCount(c);
                    return some(new Chars(List.of(range(c, c))));
                }
            }
        }

        private Node group() {
            at++;
            if (at < text.length() && text.charAt(at) == '?') {
                if (!text.startsWith("?:", at)) {
                    throw wrong("( or (?:");
                }
                at += 2;
            }
            depth++;
            Node node = choice();
            depth--;
            if (!eat(')')) {
                throw wrong(")");
            }
            return node;
        }

        private Node bracket() {
            at++;
            boolean others = eat('^');
            List<Range> ranges = new ArrayList<>();
            while (at < text.length() && text.charAt(at) != ']') {
                Chars first = inBracket();
                boolean isRange = at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']';
                if (!isRange) {
                    ranges.addAll(first.ranges);
                    continue;
                }
                at++;
                Chars last = inBracket();
                int from = single(first);
                int to = single(last);
                if (from > to) {
                    throw wrong("a range in order");
                }
                ranges.add(range(from, to));
            }
            if (!eat(']')) {
                throw wrong("]");
            }
            Chars chars = Chars.of(ranges);
            return some(others ? chars.others() : chars);
        }

        private Chars inBracket() {
            int c = text.codePointAt(at);
            if (c == '\\') {
                return escape();
            }
            at += Character.charCount(c);
            return new Chars(List.of(range(c, c)));
        }

        private int single(Chars chars) {
            if (chars.ranges.size() != 1 || chars.ranges.getFirst().first != chars.ranges.getFirst().last) {
                throw wrong("a character at each end of a range");
            }
            return chars.ranges.getFirst().first;
        }

        private static final List<Range> WORD =
                List.of(range('0', '9'), range('A', 'Z'), range('_', '_'), range('a', 'z'));
        private static final List<Range> SPACE = List.of(
                range('\t', '\r'),
                range(' ', ' '),
                range(0xA0, 0xA0),
                range(0x1680, 0x1680),
                range(0x2000, 0x200A),
                range(0x2028, 0x2029),
                range(0x202F, 0x202F),
                range(0x205F, 0x205F),
                range(0x3000, 0x3000),
                range(0xFEFF, 0xFEFF));

        private Chars escape() {
            if (at + 1 >= text.length()) {
                throw wrong("something behind \\");
            }
            char c = text.charAt(at + 1);
            at += 2;
            return switch (c) {
                case 'd' -> new Chars(List.of(range('0', '9')));
                case 'D' -> new Chars(List.of(range('0', '9'))).others();
                case 'w' -> new Chars(WORD);
                case 'W' -> new Chars(WORD).others();
                case 's' -> new Chars(SPACE);
                case 'S' -> new Chars(SPACE).others();
                case 'n' -> new Chars(List.of(range('\n', '\n')));
                case 'r' -> new Chars(List.of(range('\r', '\r')));
                case 't' -> new Chars(List.of(range('\t', '\t')));
                case 'f' -> new Chars(List.of(range('\f', '\f')));
                default -> {
                    if (Character.isLetterOrDigit(c)) {
                        throw wrong("an escape that is known");
                    }
                    yield new Chars(List.of(range(c, c)));
                }
            };
        }

        /// A class of characters that a JSON string can hold.
        private Chars some(Chars chars) {
            Chars held = chars.others().others();
            if (held.ranges.isEmpty()) {
                throw wrong("a class with a character that a JSON string can hold");
            }
            return held;
        }

        private boolean eat(char c) {
            boolean there = at < text.length() && text.charAt(at) == c;
            at += there ? 1 : 0;
            return there;
        }

        private RuntimeException wrong(String expected) {
            return SchemaReader.refused(
                    place, expected + " at character " + at + " of " + text + ", got " + expression);
        }
    }
}
