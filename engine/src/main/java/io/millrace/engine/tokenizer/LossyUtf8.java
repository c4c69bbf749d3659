package io.millrace.engine.tokenizer;

/// UTF-8 to text with one U+FFFD for each maximal subpart of a malformed sequence (Unicode 16, section 3.9,
/// the practice of WHATWG and Rust). Java's own decoder puts another number of replacement characters for
/// some sequences, and text would then differ from that of the reference tokenizer.
final class LossyUtf8 {
    private static final char REPLACEMENT = '\uFFFD';

    private LossyUtf8() {}

    /// Appends the text of `bytes[0, size)`.
    ///
    /// @return how many bytes were consumed: all but up to 3, which are the beginning of a character that
    ///     may go on
    static int decode(byte[] bytes, int size, StringBuilder text) {
        int at = 0;
        while (at < size) {
            int lead = bytes[at] & 0xFF;
            if (lead < 0x80) {
                text.append((char) lead);
                at++;
                continue;
            }
            int length = length(lead);
            int valid = validPrefix(bytes, at, Math.min(size, at + length), lead);
            if (valid == length && length > 0) {
                text.appendCodePoint(codePoint(bytes, at, length));
            } else if (length > 0 && at + valid == size) {
                return at;
            } else {
                text.append(REPLACEMENT);
            }
            at += Math.max(1, valid);
        }
        return size;
    }

    /// Bytes of a character with this first byte; 0 if none begins so.
    private static int length(int lead) {
        if (lead < 0xC2 || lead > 0xF4) {
            return 0;
        }
        return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    }

    /// How many bytes from `start` can belong to one character.
    private static int validPrefix(byte[] bytes, int start, int end, int lead) {
        int at = start + 1;
        while (at < end && isContinuation(bytes[at] & 0xFF, at - start, lead)) {
            at++;
        }
        return at - start;
    }

    /// Table 3-7 of the Unicode Standard: the second byte has a narrower range after four of the first bytes.
    private static boolean isContinuation(int value, int index, int lead) {
        if (index > 1) {
            return value >= 0x80 && value <= 0xBF;
        }
        int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        return value >= low && value <= high;
    }

    private static int codePoint(byte[] bytes, int start, int length) {
        int codePoint = bytes[start] & (0xFF >> (length + 1));
        for (int at = start + 1; at < start + length; at++) {
            codePoint = codePoint << 6 | (bytes[at] & 0x3F);
        }
        return codePoint;
    }
}
