package io.millrace.engine.tokenizer;

/// Java strings can hold half a surrogate pair, which no UTF-8 can.
final class SurrogateRepair {
    private SurrogateRepair() {}

    /// The text with U+FFFD for each unpaired surrogate; the same object if there is none.
    static String repaired(String text) {
        for (int at = 0; at < text.length(); at++) {
            if (Character.isSurrogate(text.charAt(at))) {
                if (!isPair(text, at)) {
                    return replacedFrom(text, at);
                }
                at++;
            }
        }
        return text;
    }

    private static String replacedFrom(String text, int first) {
        StringBuilder repaired = new StringBuilder(text);
        for (int at = first; at < repaired.length(); at++) {
            if (Character.isSurrogate(repaired.charAt(at))) {
                if (isPair(repaired, at)) {
                    at++;
                } else {
                    repaired.setCharAt(at, '\uFFFD');
                }
            }
        }
        return repaired.toString();
    }

    private static boolean isPair(CharSequence text, int at) {
        return Character.isHighSurrogate(text.charAt(at))
                && at + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(at + 1));
    }
}
