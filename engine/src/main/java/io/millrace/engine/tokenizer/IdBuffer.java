package io.millrace.engine.tokenizer;

import java.util.Arrays;

/// A growing list of ids.
final class IdBuffer {
    private int[] ids;
    private int size;

    IdBuffer(int capacity) {
        ids = new int[Math.max(8, capacity)];
    }

    void add(int id) {
        reserve(1);
        ids[size++] = id;
    }

    void addAll(int[] more) {
        reserve(more.length);
        System.arraycopy(more, 0, ids, size, more.length);
        size += more.length;
    }

    int[] toArray() {
        return Arrays.copyOf(ids, size);
    }

    private void reserve(int more) {
        int needed = Math.addExact(size, more);
        if (needed > ids.length) {
            // half as much again: amortised linear, and no overflow below 2^30
            ids = Arrays.copyOf(ids, Math.max(needed, (int) Math.min(Integer.MAX_VALUE - 8, ids.length * 3L / 2)));
        }
    }
}
