package io.millrace.engine.tokenizer;

import java.text.Normalizer;
import java.util.List;

/// The `normalizer` of a tokenizer.json: what is done to the text before it is split.
sealed interface TextNormalizer {

    TextNormalizer NONE = new InOrder(List.of());

    String normalize(String text);

    /// One of Unicode's four normalisation forms.
    record Form(Normalizer.Form form) implements TextNormalizer {
        /// Reordering a run of n combining marks takes up to n² steps; longer runs are normalised in parts
        /// of this many. No text in any language has such a run (UAX #15 calls 30 generous).
        private static final int MAX_MARKS = 256;

        @Override
        public String normalize(String text) {
            StringBuilder normalized = new StringBuilder(text.length());
            int start = 0;
            int marks = 0;
            for (int at = 0; at < text.length(); ) {
                int codePoint = text.codePointAt(at);
                at += Character.charCount(codePoint);
                marks = isMark(codePoint) ? marks + 1 : 0;
                if (marks == MAX_MARKS) {
                    normalized.append(Normalizer.normalize(text.substring(start, at), form));
                    start = at;
                    marks = 0;
                }
            }
            return normalized
                    .append(Normalizer.normalize(text.substring(start), form))
                    .toString();
        }

        private static boolean isMark(int codePoint) {
            int type = Character.getType(codePoint);
            return type == Character.NON_SPACING_MARK
                    || type == Character.COMBINING_SPACING_MARK
                    || type == Character.ENCLOSING_MARK;
        }
    }

    /// Lower case of each character by itself: no locale, no final sigma.
    record Lowercase() implements TextNormalizer {
        @Override
        public String normalize(String text) {
            StringBuilder lower = new StringBuilder(text.length());
            text.codePoints().forEach(codePoint -> {
                lower.appendCodePoint(Character.toLowerCase(codePoint));
                if (codePoint == 'İ') {
                    // the one character whose lower case is two in every locale
                    lower.append('\u0307');
                }
            });
            return lower.toString();
        }
    }

    record InOrder(List<TextNormalizer> steps) implements TextNormalizer {
        public InOrder {
            steps = List.copyOf(steps);
        }

        @Override
        public String normalize(String text) {
            String normalized = text;
            for (TextNormalizer step : steps) {
                normalized = step.normalize(normalized);
            }
            return normalized;
        }
    }
}
