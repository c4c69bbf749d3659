package io.millrace.engine.decode;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/// The order in which requests are admitted: those that may generate most first, of equal ones the longest
/// prompt, so that what is left at the end is short and the last steps are not run for a few long rows. It
/// is made over all that have arrived when the ones before are through: nobody is overtaken for ever.
final class WaitingRows implements Iterable<Sequence> {
    private static final Comparator<Sequence> LONGEST_FIRST = Comparator.comparingInt(Sequence::maxTokens)
            .thenComparingInt(Sequence::promptSize)
            .reversed();

    private final List<Sequence> sorted = new ArrayList<>();
    private final List<Sequence> arrived = new ArrayList<>();

    void add(Sequence sequence) {
        arrived.add(sequence);
    }

    int size() {
        return sorted.size() + arrived.size();
    }

    void clear() {
        sorted.clear();
        arrived.clear();
    }

    /// All of them in order, {@link Iterator#remove} included.
    @Override
    public Iterator<Sequence> iterator() {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < size();
            }

            @Override
            public Sequence next() {
                if (next == sorted.size()) {
                    arrived.sort(LONGEST_FIRST);
                    sorted.addAll(arrived);
                    arrived.clear();
                }
                if (next == sorted.size()) {
                    throw new NoSuchElementException("no more rows wait");
                }
                return sorted.get(next++);
            }

            @Override
            public void remove() {
                next--;
                sorted.remove(next);
            }
        };
    }
}
