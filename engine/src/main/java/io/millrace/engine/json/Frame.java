package io.millrace.engine.json;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Where in a JSON text of a given shape a byte stands: the value under way, and behind it those it
/// lies in. Each byte leads to any number of further frames; none means that it may not stand here.
///
/// Between the signs of an object or array there may be white space, but not without end: at most
/// {@link #MOST_SPACES} characters in a row, since a model could else go on with it for ever.
sealed interface Frame {
    int MOST_SPACES = 20;

    void step(int b, Consumer<Frame> out);

    /// Whether the text may end here.
    default boolean mayEnd() {
        return false;
    }

    static boolean isSpace(int b) {
        return b == ' ' || b == '\n' || b == '\t' || b == '\r';
    }

    /// Behind the whole text.
    record End() implements Frame {
        @Override
        public void step(int b, Consumer<Frame> out) {
            // nothing follows
        }

        @Override
        public boolean mayEnd() {
            return true;
        }
    }

    /// Before a value.
    record Value(Shape shape, int spaces, Frame then) implements Frame {
        @Override
        public void step(int b, Consumer<Frame> out) {
            if (isSpace(b)) {
                if (spaces < MOST_SPACES) {
                    out.accept(new Value(shape, spaces + 1, then));
                }
            } else {
                begin(shape, b, then, out);
            }
        }
    }

    private static void begin(Shape shape, int b, Frame then, Consumer<Frame> out) {
        switch (shape) {
            case Shape.Any _ -> ANY.forEach(each -> begin(each, b, then, out));
            case Shape.AnyOf(List<Shape> shapes) -> shapes.forEach(each -> begin(each, b, then, out));
            case Shape.Named named -> begin(named.shape().get(), b, then, out);
            case Shape.OneOf(List<String> texts) ->
                texts.forEach(text -> new Literal(Bytes.of(text), 0, then).step(b, out));
            case Shape.Numeric(boolean integer) -> new Digits(integer, Digits.Part.START, then).step(b, out);
            case Shape.Text text -> {
                if (b == '"') {
                    out.accept(new Text(text, StringScan.START, 0, text.language(), then));
                }
            }
            case Shape.Items items -> {
                if (b == '[') {
                    out.accept(new Items(items, 0, Items.Part.OPEN, 0, then));
                }
            }
            case Shape.Members members -> {
                if (b == '{') {
                    out.accept(new Members(members, Set.of(), Members.Part.OPEN, 0, then));
                }
            }
        }
    }

    /// What any value can be.
    List<Shape> ANY = List.of(
            new Shape.OneOf(List.of("true", "false", "null")),
            new Shape.Numeric(false),
            new Shape.Text(0, Integer.MAX_VALUE, new Language.All()),
            new Shape.Items(new Shape.Any(), 0, Integer.MAX_VALUE),
            new Shape.Members(Map.of(), Set.of(), new Shape.Any()));

    /// Inside a text that is known.
    ///
    /// @param at bytes of it that have been written
    record Literal(Bytes text, int at, Frame then) implements Frame {
        @Override
        public void step(int b, Consumer<Frame> out) {
            if (text.at(at) == b) {
                out.accept(at + 1 == text.size() ? then : new Literal(text, at + 1, then));
            }
        }
    }

    /// Inside a number, which ends where something follows that is not of it.
    record Digits(boolean integer, Digits.Part part, Frame then) implements Frame {
        enum Part {
            START,
            SIGN,
            ZERO,
            WHOLE,
            POINT,
            FRACTION,
            POWER,
            POWER_SIGN,
            EXPONENT
        }

        @Override
        public void step(int b, Consumer<Frame> out) {
            Digits.Part next = next(b);
            if (next != null) {
                out.accept(new Digits(integer, next, then));
            } else if (isWhole()) {
                then.step(b, out);
            }
        }

        private Digits.@Nullable Part next(int b) {
            boolean digit = b >= '0' && b <= '9';
            boolean power = !integer && (b == 'e' || b == 'E');
            return switch (part) {
                case START ->
                    b == '-' ? Digits.Part.SIGN : b == '0' ? Digits.Part.ZERO : digit ? Digits.Part.WHOLE : null;
                case SIGN -> b == '0' ? Digits.Part.ZERO : digit ? Digits.Part.WHOLE : null;
                case ZERO -> !integer && b == '.' ? Digits.Part.POINT : power ? Digits.Part.POWER : null;
                case WHOLE ->
                    digit
                            ? Digits.Part.WHOLE
                            : !integer && b == '.' ? Digits.Part.POINT : power ? Digits.Part.POWER : null;
                case POINT -> digit ? Digits.Part.FRACTION : null;
                case FRACTION -> digit ? Digits.Part.FRACTION : power ? Digits.Part.POWER : null;
                case POWER -> digit ? Digits.Part.EXPONENT : b == '+' || b == '-' ? Digits.Part.POWER_SIGN : null;
                case POWER_SIGN, EXPONENT -> digit ? Digits.Part.EXPONENT : null;
            };
        }

        private boolean isWhole() {
            return part == Digits.Part.ZERO
                    || part == Digits.Part.WHOLE
                    || part == Digits.Part.FRACTION
                    || part == Digits.Part.EXPONENT;
        }

        @Override
        public boolean mayEnd() {
            return isWhole() && then.mayEnd();
        }
    }

    /// Inside a string.
    ///
    /// @param count code points that are complete
    /// @param rest what may follow
    record Text(Shape.Text shape, StringScan scan, int count, Language rest, Frame then) implements Frame {
        @Override
        public void step(int b, Consumer<Frame> out) {
            if (scan.isBetween() && b == '"') {
                if (count >= shape.least() && rest.mayEnd()) {
                    out.accept(then);
                }
                return;
            }
            if (scan.isBetween() && count == shape.most()) {
                return;
            }
            StringScan.Next next = scan.next(b, rest, rest instanceof Language.All);
            if (next == null) {
                return;
            }
            if (next.codePoint() == StringScan.NONE) {
                out.accept(new Text(shape, next.scan(), count, rest, then));
                return;
            }
            Language after = rest.next(next.codePoint());
            if (after != null) {
                // without bounds there is nothing to count, and all places in a string are one
                int counted = shape.least() == 0 && shape.most() == Integer.MAX_VALUE ? 0 : count + 1;
                int enough = shape.most() == Integer.MAX_VALUE ? Math.min(counted, shape.least()) : counted;
                out.accept(new Text(shape, next.scan(), enough, after, then));
            }
        }
    }

    /// Inside an array, between items.
    ///
    /// @param count items that are complete
    record Items(Shape.Items shape, int count, Items.Part part, int spaces, Frame then) implements Frame {
        enum Part {
            OPEN,
            BEHIND_ITEM
        }

        @Override
        public void step(int b, Consumer<Frame> out) {
            if (isSpace(b)) {
                if (spaces < MOST_SPACES) {
                    out.accept(new Items(shape, count, part, spaces + 1, then));
                }
            } else if (b == ']') {
                if (count >= shape.least()) {
                    out.accept(then);
                }
            } else if (count < shape.most()) {
                Value item = new Value(shape.each(), 0, new Items(shape, counted(), Items.Part.BEHIND_ITEM, 0, then));
                if (part == Items.Part.OPEN) {
                    item.step(b, out);
                } else if (b == ',') {
                    out.accept(item);
                }
            }
        }

        private int counted() {
            return shape.most() == Integer.MAX_VALUE ? Math.min(count + 1, shape.least()) : count + 1;
        }
    }

    /// Inside an object, between members.
    ///
    /// @param seen names of the members so far
    record Members(Shape.Members shape, Set<String> seen, Members.Part part, int spaces, Frame then) implements Frame {
        enum Part {
            OPEN,
            /// Behind a comma.
            NEXT,
            BEHIND_MEMBER
        }

        @Override
        public void step(int b, Consumer<Frame> out) {
            if (isSpace(b)) {
                if (spaces < MOST_SPACES) {
                    out.accept(new Members(shape, seen, part, spaces + 1, then));
                }
            } else if (b == '}') {
                if (part != Members.Part.NEXT && seen.containsAll(shape.required())) {
                    out.accept(then);
                }
            } else if (b == ',') {
                if (part == Members.Part.BEHIND_MEMBER && mayGoOn()) {
                    out.accept(new Members(shape, seen, Members.Part.NEXT, 0, then));
                }
            } else if (b == '"' && part != Members.Part.BEHIND_MEMBER && mayGoOn()) {
                out.accept(new Name(this, StringScan.START, "", names()));
            }
        }

        private boolean mayGoOn() {
            return shape.others() != null || !seen.containsAll(shape.named().keySet());
        }

        private Language names() {
            return shape.others() != null
                    ? new Language.All()
                    : new Language.OneOf(shape.named().keySet().stream()
                            .filter(name -> !seen.contains(name))
                            .toList());
        }

        /// Where a member goes on whose name is complete; none if there may be none of that name, or
        /// not again.
        void named(String name, Consumer<Frame> out) {
            Shape value = shape.named().containsKey(name) ? shape.named().get(name) : shape.others();
            if (value != null && !seen.contains(name)) {
                Set<String> now = new TreeSet<>(seen);
                now.add(name);
                out.accept(
                        new Colon(value, 0, new Members(shape, Set.copyOf(now), Members.Part.BEHIND_MEMBER, 0, then)));
            }
        }
    }

    /// Inside the name of a member.
    ///
    /// @param name so far
    record Name(Members in, StringScan scan, String name, Language rest) implements Frame {
        @Override
        public void step(int b, Consumer<Frame> out) {
            if (scan.isBetween() && b == '"') {
                if (rest.mayEnd()) {
                    in.named(name, out);
                }
                return;
            }
            StringScan.Next next = scan.next(b, rest, rest instanceof Language.All);
            if (next == null) {
                return;
            }
            if (next.codePoint() == StringScan.NONE) {
                out.accept(new Name(in, next.scan(), name, rest));
                return;
            }
            Language after = rest.next(next.codePoint());
            if (after != null) {
                out.accept(new Name(in, next.scan(), name + Character.toString(next.codePoint()), after));
            }
        }
    }

    /// Before the colon of a member.
    record Colon(Shape value, int spaces, Frame then) implements Frame {
        @Override
        public void step(int b, Consumer<Frame> out) {
            if (isSpace(b) && spaces < MOST_SPACES) {
                out.accept(new Colon(value, spaces + 1, then));
            } else if (b == ':') {
                out.accept(new Value(value, 0, then));
            }
        }
    }

    /// All frames that some frames lead to.
    static Set<Frame> step(Set<Frame> frames, int b) {
        Set<Frame> next = new HashSet<>();
        for (Frame frame : frames) {
            frame.step(b, next::add);
        }
        return next;
    }
}
