package io.millrace.udf;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// What an error row keeps of the text it could not use: the text itself, up to a bound, so that a row of any
/// length costs the output no more than this.
public final class RawText {
    /// Longest text that is kept, in UTF-16 units; of a longer one, its start.
    public static final int MAX_CHARS = 1 << 16;

    private RawText() {}

    /// The text's start, never half a surrogate pair.
    public static String of(String text) {
        if (text.length() <= MAX_CHARS) {
            return text;
        }
        boolean splitsPair = Character.isHighSurrogate(text.charAt(MAX_CHARS - 1))
                && Character.isLowSurrogate(text.charAt(MAX_CHARS));
        return text.substring(0, splitsPair ? MAX_CHARS - 1 : MAX_CHARS);
    }

    /// The start of what the bytes spell in UTF-8, with `\\xHH` for each byte that spells nothing.
    public static String ofBytes(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, Math.min(bytes.length, MAX_CHARS));
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        CharBuffer chars = CharBuffer.allocate(in.remaining());
        StringBuilder text = new StringBuilder();
        CoderResult result;
        do {
            result = decoder.decode(in, chars, true);
            text.append(chars.flip());
            chars.clear();
            if (result.isError()) {
                for (int i = 0; i < result.length(); i++) {
                    text.append("\\x").append(HexFormat.of().withUpperCase().toHexDigits(in.get()));
                }
            }
        } while (result.isError());
        return of(text.toString());
    }
}
