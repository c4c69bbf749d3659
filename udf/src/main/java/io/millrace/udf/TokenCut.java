package io.millrace.udf;

import io.millrace.engine.api.TokenIds;
import java.util.Arrays;
import java.util.function.Function;

/// Cuts a text at a token boundary. Where a character's bytes lie in several tokens, the boundary moves to the
/// nearest one that leaves whole characters: at most three tokens, since a character has at most four bytes.
///
/// A tokenizer that normalises spells another text than it was given; the cut is then one of that text.
final class TokenCut {
    private static final int MAX_SPLIT = 3;
    private static final String REPLACEMENT = "\uFFFD";

    private TokenCut() {}

    /// The longest start of the text that the first `keep` tokens, or fewer, spell.
    static String head(String text, TokenIds tokens, int keep, Function<TokenIds, String> decode) {
        int most = Math.min(keep, tokens.size());
        for (int size = most; size > Math.max(0, most - 1 - MAX_SPLIT); size--) {
            String head = decode.apply(tokens.head(size));
            if (text.startsWith(head) || !head.endsWith(REPLACEMENT)) {
                return head;
            }
        }
        return "";
    }

    /// The longest end of the text that the last `keep` tokens, or fewer, spell.
    static String tail(String text, TokenIds tokens, int keep, Function<TokenIds, String> decode) {
        int[] ids = tokens.toArray();
        int most = Math.min(keep, ids.length);
        for (int size = most; size > Math.max(0, most - 1 - MAX_SPLIT); size--) {
            String tail = decode.apply(TokenIds.of(Arrays.copyOfRange(ids, ids.length - size, ids.length)));
            if (text.endsWith(tail) || !tail.startsWith(REPLACEMENT)) {
                return tail;
            }
        }
        return "";
    }
}
