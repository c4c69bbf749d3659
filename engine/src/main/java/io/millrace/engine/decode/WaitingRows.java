package io.millrace.engine.decode;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/// The order in which requests are admitted: those that may generate most first, of equal ones the shortest
/// prompt. Prefill fills a step to its last token, decoding leaves it half empty when there are few rows: so
/// what decodes for long begins early, beside others' prompts, and what is mostly prompt comes last (Johnson
/// 1954, for two machines).
///
/// As many rows as run together are put in order at a time, those that arrived first: nobody is overtaken for
/// long, and a caller that takes results in the order of its requests does not run out of requests meanwhile.
final class WaitingRows implements Iterable<Sequence> {
    private static final Comparator<Sequence> ORDER =
            Comparator.comparingInt(Sequence::maxTokens).reversed().thenComparingInt(Sequence::promptSize);

    private final int atATime;
    private final List<Sequence> sorted = new ArrayList<>();
    private final List<Sequence> arrived = new ArrayList<>();

    /// @param atATime rows that run together
    WaitingRows(int atATime) {
        this.atATime = atATime;
    }

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
                    List<Sequence> first = arrived.subList(0, Math.min(atATime, arrived.size()));
                    first.sort(ORDER);
                    sorted.addAll(first);
                    first.clear();
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
