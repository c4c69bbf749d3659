package io.millrace.udf;

import com.ibm.icu.text.BreakIterator;
import com.ibm.icu.util.ULocale;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Sentences of a text as ICU finds them by Unicode's rules (UAX #29), which know no abbreviations. A line
/// feed ends a sentence only where a blank line follows: lines may be wrapped.
public final class Sentences {
    private static final Pattern BLANK_LINE = Pattern.compile("\\R[\\t \\u00A0]*\\R\\s*");

    private Sentences() {}

    /// A stretch of a text, in UTF-16 units, with the space after it.
    ///
    /// @param end past its last unit
    /// @param endsParagraph whether a blank line or the end of the text follows
    public record Span(int start, int end, boolean endsParagraph) {}

    /// The sentences of a part of a text, which they cover.
    public static List<Span> spans(String text, int start, int end) {
        List<Span> spans = new ArrayList<>();
        Matcher blank = BLANK_LINE.matcher(text).region(start, end);
        int paragraph = start;
        while (blank.find()) {
            addParagraph(text, paragraph, blank.end(), spans);
            paragraph = blank.end();
        }
        addParagraph(text, paragraph, end, spans);
        return spans;
    }

    private static void addParagraph(String text, int start, int end, List<Span> spans) {
        BreakIterator breaks = BreakIterator.getSentenceInstance(ULocale.ROOT);
        breaks.setText(text.substring(start, end).replace('\n', ' ').replace('\r', ' '));
        int from = start;
        breaks.first();
        for (int at = breaks.next(); at != BreakIterator.DONE; at = breaks.next()) {
            spans.add(new Span(from, start + at, start + at == end));
            from = start + at;
        }
    }

    /// The sentences without the space around them; blank ones are left out.
    public static List<String> of(String text) {
        return spans(text, 0, text.length()).stream()
                .map(span -> text.substring(span.start(), span.end()).strip())
                .filter(sentence -> !sentence.isEmpty())
                .toList();
    }
}
