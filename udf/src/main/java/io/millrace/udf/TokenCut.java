package io.millrace.udf;

import io.millrace.engine.api.TokenIds;
import java.util.Arrays;

/// Cuts a text at a token boundary. Where a character's bytes lie in two tokens, the boundary moves to the
/// nearest one that leaves whole characters.
final class TokenCut {

    private TokenCut() {}

    /// The longest start of the text that the first `keep` tokens, or fewer, spell exactly.
    static String head(String text, TokenIds tokens, int keep, PromptEngine engine) {
        for (int size = Math.min(keep, tokens.size()); size > 0; size--) {
            String head = engine.decode(tokens.head(size));
            if (text.startsWith(head)) {
                return head;
            }
        }
        return "";
    }

    /// The longest end of the text that the last `keep` tokens, or fewer, spell exactly.
    static String tail(String text, TokenIds tokens, int keep, PromptEngine engine) {
        int[] ids = tokens.toArray();
        for (int size = Math.min(keep, ids.length); size > 0; size--) {
            String tail = engine.decode(TokenIds.of(Arrays.copyOfRange(ids, ids.length - size, ids.length)));
            if (text.endsWith(tail)) {
                return tail;
            }
        }
        return "";
    }
}
