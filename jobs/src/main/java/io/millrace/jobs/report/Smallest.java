package io.millrace.jobs.report;

import java.io.Serializable;
import java.util.Collection;
import java.util.TreeMap;

/// The few entries with the smallest keys of however many are added, in any order: examples that are the
/// same each time.
///
/// @param <K> what orders them
/// @param <V> what is kept
final class Smallest<K extends Comparable<K> & Serializable, V extends Serializable> implements Serializable {
    private static final long serialVersionUID = 1L;

    private final int most;
    private final TreeMap<K, V> entries = new TreeMap<>();

    Smallest(int most) {
        this.most = most;
    }

    /// Whether an entry of this key would stay.
    boolean wants(K key) {
        return entries.size() < most || key.compareTo(entries.lastKey()) < 0;
    }

    void add(K key, V value) {
        if (wants(key)) {
            entries.put(key, value);
            if (entries.size() > most) {
                entries.pollLastEntry();
            }
        }
    }

    void add(Smallest<K, V> other) {
        other.entries.forEach(this::add);
    }

    Collection<V> values() {
        return entries.values();
    }
}
