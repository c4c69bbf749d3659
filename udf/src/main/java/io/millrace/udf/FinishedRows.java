package io.millrace.udf;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SortedMap;
import java.util.TreeMap;

/// Rows that the tasks of a process have yielded: how many, which errors, and the slowest. A task that
/// Spark runs again counts its rows again. Thread-safe.
final class FinishedRows {
    private static final int SLOWEST = 10;
    private static final Comparator<FinishedRow> BY_TIME = Comparator.comparingDouble(FinishedRow::batchMillis);

    private long ok;
    private final SortedMap<String, Long> errors = new TreeMap<>();
    private final PriorityQueue<FinishedRow> slowest = new PriorityQueue<>(BY_TIME);

    synchronized void add(FinishedRow row) {
        if (row.errorCode() == null) {
            ok++;
        } else {
            errors.merge(row.errorCode(), 1L, Long::sum);
        }
        // one that never came to the engine is not slow
        if (row.batchMillis() > 0) {
            slowest.add(row);
        }
        if (slowest.size() > SLOWEST) {
            slowest.remove();
        }
    }

    synchronized long ok() {
        return ok;
    }

    /// By error code.
    synchronized SortedMap<String, Long> errors() {
        return new TreeMap<>(errors);
    }

    /// Those that were in the batch longest, the slowest first.
    synchronized List<FinishedRow> slowest() {
        return slowest.stream().sorted(BY_TIME.reversed()).toList();
    }
}
