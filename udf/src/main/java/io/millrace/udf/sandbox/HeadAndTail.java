package io.millrace.udf.sandbox;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Keeps the beginning and the end of a stream of bytes.
final class HeadAndTail {
    private final byte[] head;
    /// A ring: the byte number n of what follows the head is at n modulo its length.
    private final byte[] tail;
    private int headLength;
    private long tailLength;

    /// @param bytes kept in all
    HeadAndTail(int bytes) {
        this.head = new byte[bytes - bytes / 2];
        this.tail = new byte[bytes / 2];
    }

    void append(byte[] bytes, int length) {
        int toHead = Math.min(length, head.length - headLength);
        System.arraycopy(bytes, 0, head, headLength, toHead);
        headLength += toHead;
        // what the ring would forget at once need not be written
        int skipped = Math.max(0, length - toHead - tail.length);
        tailLength += skipped;
        for (int at = toHead + skipped; at < length; ) {
            int place = (int) (tailLength % tail.length);
            int run = Math.min(length - at, tail.length - place);
            System.arraycopy(bytes, at, tail, place, run);
            at += run;
            tailLength += run;
        }
    }

    long bytes() {
        return headLength + tailLength;
    }

    Output output() {
        String first = new String(head, 0, headLength, StandardCharsets.UTF_8);
        if (tailLength <= tail.length) {
            byte[] all = Arrays.copyOf(head, headLength + (int) tailLength);
            System.arraycopy(tail, 0, all, headLength, (int) tailLength);
            return new Output(new String(all, StandardCharsets.UTF_8), "", bytes(), 0);
        }
        int split = (int) (tailLength % tail.length);
        byte[] last = new byte[tail.length];
        System.arraycopy(tail, split, last, 0, tail.length - split);
        System.arraycopy(tail, 0, last, tail.length - split, split);
        return new Output(first, new String(last, StandardCharsets.UTF_8), bytes(), tailLength - tail.length);
    }
}
