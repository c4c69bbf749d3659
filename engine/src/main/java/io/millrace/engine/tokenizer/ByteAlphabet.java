package io.millrace.engine.tokenizer;

import java.util.Arrays;

/// GPT-2's one-to-one mapping between bytes and visible characters, in which byte-level vocabularies are
/// written: the printable bytes of Latin-1 (33–126, 161–172, 174–255) stand for themselves, the other 68
/// become U+0100 and up in byte order.
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final int[] BYTES = new int[256 + 68];

    static {
        Arrays.fill(BYTES, -1);
        int next = 256;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value >= 33 && value <= 126) || (value >= 161 && value != 173);
            CHARS[value] = (char) (printable ? value : next++);
            BYTES[CHARS[value]] = value;
        }
    }

    private ByteAlphabet() {}

    static char charOf(int unsignedByte) {
        return CHARS[unsignedByte];
    }

    /// The byte (0–255) a character stands for, or -1.
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }

    /// Whether the byte can occur in UTF-8 at all (0xC0, 0xC1 and 0xF5–0xFF cannot).
    static boolean occursInUtf8(int unsignedByte) {
        return unsignedByte < 0xF5 && unsignedByte != 0xC0 && unsignedByte != 0xC1;
    }
}
