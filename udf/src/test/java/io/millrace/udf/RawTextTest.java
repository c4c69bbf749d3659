package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RawTextTest {

    @Test
    void of_longText_isItsStartInWholeCharacters() {
        String full = "x".repeat(RawText.MAX_CHARS);

        assertThat(RawText.of(full)).isSameAs(full);
        assertThat(RawText.of(full + "y")).isEqualTo(full);
        assertThat(RawText.of(full.substring(1) + "\uD83D\uDE00")).isEqualTo(full.substring(1));
    }

    @Test
    void ofBytes_whatIsNoText_isSpeltAsBytes() {
        assertThat(RawText.ofBytes(new byte[] {'a', (byte) 0xFF, (byte) 0xE4, (byte) 0xB8, 'b', (byte) 0xC3}))
                .isEqualTo("a\\xFF\\xE4\\xB8b\\xC3");
        assertThat(RawText.ofBytes("fine \u4E2D".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo("fine \u4E2D");
        assertThat(RawText.ofBytes(new byte[0])).isEmpty();
    }

    @Test
    void ofBytes_longRubbish_isBounded() {
        byte[] rubbish = new byte[10_000_000];
        Arrays.fill(rubbish, (byte) 0x80);

        assertThat(RawText.ofBytes(rubbish)).hasSize(RawText.MAX_CHARS).startsWith("\\x80\\x80");
    }
}
