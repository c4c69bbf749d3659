package io.millrace.engine.tokenizer;

import java.util.Arrays;

/// The merges of a byte-pair encoding: (left id, right id) → rank and merged id. An open-addressing table
/// over primitive arrays; a boxed map costs about eight times the memory and three times the time. Written
/// once, then read-only.
final class MergeTable {
    private static final long EMPTY = -1;

    private final long[] pairs;
    // rank << 32 | merged id, at the pair's index
    private final long[] merges;
    private final int mask;

    /// @param count the most merges that will be put
    MergeTable(int count) {
        int capacity = Integer.highestOneBit(Math.max(8, count)) * 4;
        pairs = new long[capacity];
        merges = new long[capacity];
        mask = capacity - 1;
        Arrays.fill(pairs, EMPTY);
    }

    /// Adds a merge; one put again takes the later rank, as in Hugging Face's map.
    void put(int left, int right, int rank, int merged) {
        int slot = slot(pair(left, right));
        pairs[slot] = pair(left, right);
        merges[slot] = (long) rank << 32 | merged;
    }

    /// `rank << 32 | merged id`, or -1 if the two do not merge.
    long find(int left, int right) {
        int slot = slot(pair(left, right));
        return pairs[slot] == EMPTY ? -1 : merges[slot];
    }

    static int rank(long merge) {
        return (int) (merge >>> 32);
    }

    static int mergedId(long merge) {
        return (int) merge;
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    private int slot(long pair) {
        long hash = pair * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash >>> 32) & mask;
        while (pairs[slot] != EMPTY && pairs[slot] != pair) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
