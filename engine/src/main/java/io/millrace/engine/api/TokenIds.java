package io.millrace.engine.api;

import java.util.Arrays;

/// An immutable sequence of token ids.
public final class TokenIds {
    public static final TokenIds EMPTY = new TokenIds(new int[0]);

    private final int[] ids;

    private TokenIds(int[] ids) {
        this.ids = ids;
    }

    public static TokenIds of(int... ids) {
        return ids.length == 0 ? EMPTY : new TokenIds(ids.clone());
    }

    public int size() {
        return ids.length;
    }

    public boolean isEmpty() {
        return ids.length == 0;
    }

    /// @throws ArrayIndexOutOfBoundsException unless 0 <= index < size
    public int get(int index) {
        return ids[index];
    }

    /// A copy.
    public int[] toArray() {
        return ids.clone();
    }

    /// The first `size` ids.
    public TokenIds head(int size) {
        return size == ids.length ? this : new TokenIds(Arrays.copyOf(ids, size));
    }

    /// All but the first `start` ids; none if there are no more.
    public TokenIds from(int start) {
        return start >= ids.length ? EMPTY : new TokenIds(Arrays.copyOfRange(ids, start, ids.length));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenIds that && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }

    @Override
    public String toString() {
        return Arrays.toString(ids);
    }
}
