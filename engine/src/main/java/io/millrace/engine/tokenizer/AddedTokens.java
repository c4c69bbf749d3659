package io.millrace.engine.tokenizer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Finds added tokens in raw text as Hugging Face does: the longest at the leftmost place, and first those
/// that are looked for in the text as it stands, then, in what is left, those that are looked for in the
/// normalised text.
final class AddedTokens {

    /// One entry of `added_tokens`.
    ///
    /// @param singleWord matches only where no word character stands next to it
    /// @param lstrip takes the white space before it along; `rstrip` that behind it
    /// @param normalized is looked for after normalisation
    record AddedToken(int id, String content, boolean singleWord, boolean lstrip, boolean rstrip, boolean normalized) {}

    /// Where the pieces of a text go, in order.
    interface Receiver {
        /// Normalised text between added tokens; never empty.
        void text(String text);

        void token(AddedToken token);
    }

    private static final class Node {
        private final Map<Character, Node> children = new HashMap<>();
        private @Nullable AddedToken token;
    }

    private final TextNormalizer normalizer;
    private final Node raw = new Node();
    private final Node normalized = new Node();

    AddedTokens(List<AddedToken> tokens, TextNormalizer normalizer) {
        this.normalizer = normalizer;
        for (AddedToken token : tokens) {
            if (token.normalized()) {
                insert(normalized, normalizer.normalize(token.content()), token);
            } else {
                insert(raw, token.content(), token);
            }
        }
    }

    private static void insert(Node root, String content, AddedToken token) {
        Node node = root;
        for (int at = 0; at < content.length(); at++) {
            node = node.children.computeIfAbsent(content.charAt(at), c -> new Node());
        }
        node.token = token;
    }

    void split(String text, Receiver receiver) {
        split(raw, text, new Receiver() {
            @Override
            public void text(String between) {
                split(normalized, normalizer.normalize(between), receiver);
            }

            @Override
            public void token(AddedToken token) {
                receiver.token(token);
            }
        });
    }

    private static void split(Node root, String text, Receiver receiver) {
        int done = 0;
        for (int at = 0; at < text.length(); ) {
            Match match = longestAt(root, text, at);
            if (match == null) {
                at++;
                continue;
            }
            AddedToken token = match.token;
            int end = match.end;
            if (token.singleWord() && touchesWord(text, at, end)) {
                at = end;
                continue;
            }
            int start = token.lstrip() ? Math.max(done, stripLeft(text, at)) : at;
            int stop = token.rstrip() ? stripRight(text, end) : end;
            if (done < start) {
                receiver.text(text.substring(done, start));
            }
            receiver.token(token);
            done = stop;
            at = stop;
        }
        if (done < text.length()) {
            receiver.text(text.substring(done));
        }
    }

    private record Match(AddedToken token, int end) {}

    private static @Nullable Match longestAt(Node root, String text, int start) {
        Match longest = null;
        Node node = root.children.get(text.charAt(start));
        for (int at = start + 1; node != null; at++) {
            if (node.token != null) {
                longest = new Match(node.token, at);
            }
            node = at < text.length() ? node.children.get(text.charAt(at)) : null;
        }
        return longest;
    }

    private static boolean touchesWord(String text, int start, int end) {
        return (start > 0 && isWord(text.codePointBefore(start)))
                || (end < text.length() && isWord(text.codePointAt(end)));
    }

    private static boolean isWord(int codePoint) {
        int type = Character.getType(codePoint);
        return Character.isAlphabetic(codePoint)
                || type == Character.NON_SPACING_MARK
                || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK
                || type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.CONNECTOR_PUNCTUATION
                // join controls
                || codePoint == 0x200C
                || codePoint == 0x200D;
    }

    private static int stripLeft(String text, int from) {
        int at = from;
        while (at > 0 && isWhiteSpace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    private static int stripRight(String text, int from) {
        int at = from;
        while (at < text.length() && isWhiteSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    /// Unicode's White_Space; all of it is in the basic plane.
    static boolean isWhiteSpace(char c) {
        return Character.isSpaceChar(c) || (c >= '\t' && c <= '\r') || c == 0x85;
    }
}
