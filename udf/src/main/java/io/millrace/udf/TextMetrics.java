package io.millrace.udf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.lang.Character.UnicodeScript;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Figures about one text, as the column dictionary of the `schemas` module defines them.
public final class TextMetrics {
    private static final int GRAM = 4;
    private static final int REPLACEMENT = 0xFFFD;

    /// Scripts written without spaces: each of their code points is a word.
    private static final Set<UnicodeScript> UNSPACED = EnumSet.of(
            UnicodeScript.HAN,
            UnicodeScript.HIRAGANA,
            UnicodeScript.KATAKANA,
            UnicodeScript.THAI,
            UnicodeScript.LAO,
            UnicodeScript.KHMER,
            UnicodeScript.MYANMAR);

    /// Markers of the chat format; the bars are U+FF5C.
    private static final List<String> TEMPLATE_MARKERS = List.of("<\uFF5C", "\uFF5C>", "<think>", "</think>");

    /// Keeps no names: those of a corpus have no end.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    private TextMetrics() {}

    /// Share of the most frequent 4-gram of words among all, 0 if none occurs twice.
    public static double repetition(String text) {
        List<String> words = words(text);
        Map<List<String>, Integer> counts = new HashMap<>();
        int most = 0;
        int grams = words.size() - GRAM + 1;
        for (int start = 0; start < grams; start++) {
            most = Math.max(most, counts.merge(words.subList(start, start + GRAM), 1, Integer::sum));
        }
        return most < 2 ? 0 : (double) most / grams;
    }

    /// Whether a marker of the chat format is in the text.
    public static boolean leaksTemplate(String text) {
        return TEMPLATE_MARKERS.stream().anyMatch(text::contains);
    }

    /// Share of U+FFFD, unpaired surrogates and control characters among the code points; 0 for an empty
    /// text.
    public static double replacementShare(String text) {
        long bad = text.codePoints().filter(TextMetrics::isGarbage).count();
        return text.isEmpty() ? 0 : (double) bad / text.codePointCount(0, text.length());
    }

    /// Whether the text is one JSON value, by RFC 8259, and nothing else.
    public static boolean isJson(String text) {
        try (JsonParser parser = JSON.createParser(text)) {
            boolean begins = parser.nextToken() != null;
            parser.skipChildren();
            return begins && parser.nextToken() == null;
        } catch (IOException _) {
            // is how the parser says no
            return false;
        }
    }

    private static boolean isGarbage(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.SURROGATE -> true;
            case Character.CONTROL -> codePoint != '\t' && codePoint != '\n' && codePoint != '\r';
            default -> codePoint == REPLACEMENT;
        };
    }

    /// Lower-case words, as the definition of `repetition` finds them.
    public static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        text.toLowerCase(Locale.ROOT).codePoints().forEach(codePoint -> {
            boolean inWord = isWordPart(codePoint);
            boolean alone = inWord && UNSPACED.contains(UnicodeScript.of(codePoint));
            if (!inWord || alone) {
                flush(word, words);
            }
            if (alone) {
                words.add(Character.toString(codePoint));
            } else if (inWord) {
                word.appendCodePoint(codePoint);
            }
        });
        flush(word, words);
        return words;
    }

    private static void flush(StringBuilder word, List<String> words) {
        if (!word.isEmpty()) {
            words.add(word.toString());
            word.setLength(0);
        }
    }

    private static boolean isWordPart(int codePoint) {
        return Character.isLetterOrDigit(codePoint)
                || switch (Character.getType(codePoint)) {
                    case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK -> true;
                    default -> false;
                };
    }
}
