package io.millrace.engine.tokenizer;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Remembers the ids of short pieces. Bounded: every piece has one slot, and a newcomer takes it. Lock-free:
/// entries are immutable, and losing a race costs one repeated merge.
final class PieceCache {
    /// Longer pieces are rare and would hold memory for nothing, in chars.
    static final int MAX_PIECE_CHARS = 24;

    private static final int SLOTS = 1 << 16;

    private final AtomicReferenceArray<@Nullable Entry> slots = new AtomicReferenceArray<>(SLOTS);

    private static final class Entry {
        private final String piece;
        private final int[] ids;

        private Entry(String piece, int[] ids) {
            this.piece = piece;
            this.ids = ids;
        }
    }

    /// The ids of `text[start, end)` if they are known; not to be written to.
    int @Nullable [] find(String text, int start, int end) {
        Entry entry = slots.getAcquire(slot(text, start, end));
        if (entry == null || entry.piece.length() != end - start || !text.startsWith(entry.piece, start)) {
            return null;
        }
        return entry.ids;
    }

    void put(String text, int start, int end, int[] ids) {
        slots.setRelease(slot(text, start, end), new Entry(text.substring(start, end), ids));
    }

    private static int slot(String text, int start, int end) {
        int hash = end - start;
        for (int at = start; at < end; at++) {
            hash = hash * 31 + text.charAt(at);
        }
        hash *= 0x9E3779B9;
        return hash >>> 16;
    }
}
