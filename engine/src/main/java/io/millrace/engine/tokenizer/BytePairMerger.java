package io.millrace.engine.tokenizer;

import java.util.Arrays;

/// Merges the symbols of one piece: always the pair of lowest rank, of equal ranks the leftmost (Sennrich et
/// al. 2016, with GPT-2's ranks). Two ways with one result: a scan over the ranks for short pieces, a heap
/// with a linked list for long ones, so that a piece of n symbols takes O(n log n) whatever it holds.
final class BytePairMerger {
    /// Up to this many symbols scanning is faster than a heap (measured on English and Chinese text).
    private static final int MAX_SCANNED_SYMBOLS = 48;

    private static final long NO_MERGE = Long.MAX_VALUE;

    private final MergeTable merges;

    BytePairMerger(MergeTable merges) {
        this.merges = merges;
    }

    /// The ids that are left of `symbols`, which is overwritten.
    int[] merge(int[] symbols) {
        return symbols.length <= MAX_SCANNED_SYMBOLS ? mergeByScan(symbols) : mergeByHeap(symbols);
    }

    int[] mergeByScan(int[] symbols) {
        int size = symbols.length;
        long[] candidates = new long[Math.max(1, size)];
        for (int at = 0; at + 1 < size; at++) {
            candidates[at] = candidate(symbols[at], symbols[at + 1]);
        }
        while (size > 1) {
            int best = 0;
            for (int at = 1; at + 1 < size; at++) {
                // strictly lower: of equal ranks the leftmost stays
                if (candidates[at] >>> 32 < candidates[best] >>> 32) {
                    best = at;
                }
            }
            if (candidates[best] == NO_MERGE) {
                break;
            }
            symbols[best] = MergeTable.mergedId(candidates[best]);
            size--;
            System.arraycopy(symbols, best + 2, symbols, best + 1, size - best - 1);
            System.arraycopy(candidates, best + 1, candidates, best, size - best - 1);
            if (best > 0) {
                candidates[best - 1] = candidate(symbols[best - 1], symbols[best]);
            }
            if (best + 1 < size) {
                candidates[best] = candidate(symbols[best], symbols[best + 1]);
            }
        }
        return Arrays.copyOf(symbols, size);
    }

    private long candidate(int left, int right) {
        long merge = merges.find(left, right);
        return merge < 0 ? NO_MERGE : merge;
    }

    int[] mergeByHeap(int[] symbols) {
        int size = symbols.length;
        int[] next = new int[size];
        int[] previous = new int[size];
        CandidateHeap heap = new CandidateHeap(size);
        for (int at = 0; at < size; at++) {
            next[at] = at + 1;
            previous[at] = at - 1;
            if (at + 1 < size) {
                offer(heap, symbols, at, at + 1);
            }
        }
        while (!heap.isEmpty()) {
            long candidate = heap.poll();
            int at = (int) candidate;
            // a swallowed symbol is -1; a changed neighbour gives another rank: both mean that the candidate
            // is stale
            if (symbols[at] < 0 || next[at] >= size) {
                continue;
            }
            long merge = merges.find(symbols[at], symbols[next[at]]);
            if (merge < 0 || MergeTable.rank(merge) != (int) (candidate >>> 32)) {
                continue;
            }
            int swallowed = next[at];
            symbols[at] = MergeTable.mergedId(merge);
            symbols[swallowed] = -1;
            next[at] = next[swallowed];
            if (next[at] < size) {
                previous[next[at]] = at;
                offer(heap, symbols, at, next[at]);
            }
            if (previous[at] >= 0) {
                offer(heap, symbols, previous[at], at);
            }
        }
        return left(symbols);
    }

    private void offer(CandidateHeap heap, int[] symbols, int left, int right) {
        long merge = merges.find(symbols[left], symbols[right]);
        if (merge >= 0) {
            heap.add((long) MergeTable.rank(merge) << 32 | left);
        }
    }

    private static int[] left(int[] symbols) {
        int size = 0;
        for (int symbol : symbols) {
            if (symbol >= 0) {
                symbols[size++] = symbol;
            }
        }
        return Arrays.copyOf(symbols, size);
    }

    /// A binary heap of `rank << 32 | position`: lowest rank first, then leftmost.
    private static final class CandidateHeap {
        private long[] items;
        private int size;

        CandidateHeap(int capacity) {
            items = new long[capacity];
        }

        boolean isEmpty() {
            return size == 0;
        }

        void add(long item) {
            if (size == items.length) {
                items = Arrays.copyOf(items, size + (size >> 1) + 1);
            }
            int at = size++;
            while (at > 0 && items[(at - 1) >> 1] > item) {
                items[at] = items[(at - 1) >> 1];
                at = (at - 1) >> 1;
            }
            items[at] = item;
        }

        long poll() {
            long first = items[0];
            long item = items[--size];
            int at = 0;
            while (2 * at + 1 < size) {
                int child = 2 * at + 1;
                if (child + 1 < size && items[child + 1] < items[child]) {
                    child++;
                }
                if (items[child] >= item) {
                    break;
                }
                items[at] = items[child];
                at = child;
            }
            items[at] = item;
            return first;
        }
    }
}
