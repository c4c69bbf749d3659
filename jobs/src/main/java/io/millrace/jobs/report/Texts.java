package io.millrace.jobs.report;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Texts that a model or a stranger has written, made fit to be shown: bounded, and without characters
/// that do something else than show.
final class Texts {
    /// Code points of a text of a row.
    static final int MOST = 500;

    /// Joiners, which spell words of Persian and Hindi.
    private static final int ZWNJ = 0x200C;

    private static final int ZWJ = 0x200D;

    private Texts() {}

    /// The text's beginning. Controls, directional and invisible format characters (joiners aside),
    /// separators of lines other than LF, private use and unpaired surrogates are shown by their numbers,
    /// as in `⟨U+202E⟩`.
    static String shown(@Nullable String text) {
        return shown(text, MOST);
    }

    /// @param most code points
    static String shown(@Nullable String text, int most) {
        if (text == null) {
            return "";
        }
        StringBuilder shown = new StringBuilder(Math.min(text.length(), most) + 16);
        int at = 0;
        for (int count = 0; at < text.length() && count < most; count++) {
            int point = text.codePointAt(at);
            at += Character.charCount(point);
            if (isPlain(point)) {
                shown.appendCodePoint(point);
            } else {
                shown.append(String.format(Locale.ROOT, "⟨U+%04X⟩", point));
            }
        }
        if (at < text.length()) {
            shown.append(String.format(Locale.ROOT, " … (%,d more characters)", text.length() - at));
        }
        return shown.toString();
    }

    private static boolean isPlain(int point) {
        if (point == '\n' || point == '\t' || point == ZWNJ || point == ZWJ) {
            return true;
        }
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.PRIVATE_USE,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
