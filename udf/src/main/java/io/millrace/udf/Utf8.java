package io.millrace.udf;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// Bytes as text, or where they are none. Java's own constructors put replacement characters instead of
/// saying so.
public final class Utf8 {
    private static final char REPLACEMENT = '\uFFFD';
    private static final int CHUNK = 1 << 13;

    private Utf8() {}

    /// The text, or null if the bytes are no UTF-8.
    public static @Nullable String text(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return text.indexOf(REPLACEMENT) < 0 || malformedAt(bytes) < 0 ? text : null;
    }

    /// What is wrong with bytes that are no UTF-8.
    public static String complaint(byte[] bytes) {
        int at = malformedAt(bytes);
        return "expected UTF-8, got the byte 0x"
                + HexFormat.of().withUpperCase().toHexDigits(bytes[at]) + " at byte " + at;
    }

    /// Where the first malformed sequence begins, or -1.
    private static int malformedAt(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(CHUNK);
        CoderResult result;
        do {
            result = decoder.decode(in, out.clear(), true);
        } while (result.isOverflow());
        return result.isError() ? in.position() : -1;
    }
}
