package io.millrace.engine.json;

import org.jspecify.annotations.Nullable;

/// Where in the contents of a JSON string a byte stands: between two characters, or inside one, be it
/// UTF-8 or an escape. Malformed UTF-8 and halves of surrogate pairs have no way on.
///
/// @param value bits of the character that are known
/// @param left bytes or digits that it still needs
/// @param high the high surrogate before it, 0 for none
record StringScan(Mode mode, int value, int left, int high) {
    static final StringScan START = new StringScan(Mode.BETWEEN, 0, 0, 0);

    /// No character was completed.
    static final int NONE = -1;

    /// Least code point that is written with so many bytes behind the first.
    private static final int[] LEAST = {0, 0x80, 0x800, 0x10000};

    private static final String ESCAPES = "\"\\/bfnrt";
    private static final String ESCAPED = "\"\\/\b\f\n\r\t";

    enum Mode {
        BETWEEN,
        /// Behind the first byte of UTF-8.
        LEAD,
        /// Further inside.
        TAIL,
        /// Behind a backslash.
        ESCAPE,
        HEX,
        /// Behind the escape of a high surrogate: a backslash, and then u.
        PAIR,
        PAIR_U
    }

    /// What a byte leads to.
    ///
    /// @param codePoint that is complete with it, or {@link #NONE}
    record Next(StringScan scan, int codePoint) {
        private boolean isIn(Language language) {
            return codePoint == NONE ? scan.isPossible(language) : language.admits(codePoint, codePoint);
        }
    }

    boolean isBetween() {
        return mode == Mode.BETWEEN;
    }

    /// Goes on with a byte other than the closing quote.
    ///
    /// @param language which code points may stand here
    /// @param anyEscape whether `\\u` may be written too, not only the short escapes
    /// @return null if the byte may not stand here
    @Nullable
    Next next(int b, Language language, boolean anyEscape) {
        Next next = switch (mode) {
            case BETWEEN -> first(b, language, anyEscape);
            case LEAD, TAIL -> tail(b);
            case ESCAPE -> escape(b, anyEscape);
            case HEX -> hex(b);
            case PAIR -> b == '\\' ? inside(Mode.PAIR_U, 0, 0, high) : null;
            case PAIR_U -> b == 'u' ? inside(Mode.HEX, 0, 4, high) : null;
        };
        return next != null && next.isIn(language) ? next : null;
    }

    private static Next inside(Mode mode, int value, int left, int high) {
        return new Next(new StringScan(mode, value, left, high), NONE);
    }

    private static Next complete(int codePoint) {
        return new Next(START, codePoint);
    }

    private @Nullable Next first(int b, Language language, boolean anyEscape) {
        if (b == '\\') {
            return anyEscape || ESCAPED.chars().anyMatch(c -> language.admits(c, c))
                    ? inside(Mode.ESCAPE, 0, 0, 0)
                    : null;
        }
        if (b < 0x20 || b == '"') {
            return null;
        }
        if (b < 0x80) {
            return complete(b);
        }
        if (b >= 0xC2 && b <= 0xDF) {
            return inside(Mode.LEAD, b & 0x1F, 1, 0);
        }
        if (b >= 0xE0 && b <= 0xEF) {
            return inside(Mode.LEAD, b & 0x0F, 2, 0);
        }
        return b >= 0xF0 && b <= 0xF4 ? inside(Mode.LEAD, b & 0x07, 3, 0) : null;
    }

    /// Of three bytes the first two must not spell a surrogate or less than U+0800, of four not more
    /// than U+10FFFF or less than U+10000.
    private @Nullable Next tail(int b) {
        boolean fits = (b & 0xC0) == 0x80
                && switch (mode == Mode.LEAD ? (left << 8) | value : 0) {
                    case 0x200 -> b >= 0xA0;
                    case 0x20D -> b <= 0x9F;
                    case 0x300 -> b >= 0x90;
                    case 0x304 -> b <= 0x8F;
                    default -> true;
                };
        if (!fits) {
            return null;
        }
        int bits = (value << 6) | (b & 0x3F);
        return left == 1 ? complete(bits) : inside(Mode.TAIL, bits, left - 1, 0);
    }

    private @Nullable Next escape(int b, boolean anyEscape) {
        if (b == 'u') {
            return anyEscape ? inside(Mode.HEX, 0, 4, 0) : null;
        }
        int at = ESCAPES.indexOf(b);
        return at < 0 ? null : complete(ESCAPED.charAt(at));
    }

    private @Nullable Next hex(int b) {
        int digit = Character.digit(b, 16);
        if (digit < 0) {
            return null;
        }
        int bits = (value << 4) | digit;
        int start = bits << (4 * (left - 1));
        int end = start | ((1 << (4 * (left - 1))) - 1);
        boolean low = start <= 0xDFFF && end >= 0xDC00;
        if (high != 0 ? !low : start >= 0xDC00 && end <= 0xDFFF) {
            return null;
        }
        if (left > 1) {
            return inside(Mode.HEX, bits, left - 1, high);
        }
        if (high != 0) {
            return complete(Character.toCodePoint((char) high, (char) bits));
        }
        return bits >= 0xD800 && bits <= 0xDBFF ? inside(Mode.PAIR, 0, 0, bits) : complete(bits);
    }

    /// Whether a character that begins like this may stand here.
    private boolean isPossible(Language language) {
        if (mode != Mode.LEAD && mode != Mode.TAIL) {
            return true;
        }
        int first = value << (6 * left);
        int last = first | ((1 << (6 * left)) - 1);
        return language.admits(mode == Mode.LEAD ? Math.max(first, LEAST[left]) : first, last);
    }
}
