package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.TokenIds;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// A token is a byte here, so that each character can be cut.
class TokenCutTest {
    private int decoded;

    private final Function<TokenIds, String> decode = tokens -> {
        decoded++;
        byte[] bytes = new byte[tokens.size()];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) tokens.get(at);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    };

    private static TokenIds tokens(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return TokenIds.of(
                IntStream.range(0, bytes.length).map(at -> bytes[at] & 0xFF).toArray());
    }

    @Test
    void head_insideACharacter_leavesItOut() {
        String text = "ab\uD83D\uDE00cd";

        for (int keep = 2; keep < 6; keep++) {
            assertThat(TokenCut.head(text, tokens(text), keep, decode)).isEqualTo("ab");
        }
        assertThat(TokenCut.head(text, tokens(text), 6, decode)).isEqualTo("ab\uD83D\uDE00");
        assertThat(TokenCut.head(text, tokens(text), 99, decode)).isEqualTo(text);
    }

    @Test
    void tail_insideACharacter_leavesItOut() {
        String text = "ab\uD83D\uDE00cd";

        for (int keep = 2; keep < 6; keep++) {
            assertThat(TokenCut.tail(text, tokens(text), keep, decode)).isEqualTo("cd");
        }
        assertThat(TokenCut.tail(text, tokens(text), 6, decode)).isEqualTo("\uD83D\uDE00cd");
    }

    @Test
    void head_textWithReplacementCharacters_keepsThem() {
        String text = "a\uFFFDb\uFFFDc";

        assertThat(TokenCut.head(text, tokens(text), 4, decode)).isEqualTo("a\uFFFD");
        assertThat(TokenCut.tail(text, tokens(text), 4, decode)).isEqualTo("\uFFFDc");
    }

    @Test
    void cut_tokenizerThatNormalises_isOfTheNormalisedTextAndTriesFewTimes() {
        String text = "e\u0301".repeat(1000);
        TokenIds tokens = tokens(Normalizer.normalize(text, Normalizer.Form.NFC));

        assertThat(TokenCut.head(text, tokens, 101, decode)).isEqualTo("\u00E9".repeat(50));
        assertThat(TokenCut.tail(text, tokens, 101, decode)).isEqualTo("\u00E9".repeat(50));
        assertThat(decoded).isLessThanOrEqualTo(8);
    }
}
