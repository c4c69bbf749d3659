package io.millrace.engine.checkpoint;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// What is wrong with a checkpoint, collected so that all of it can be told at once.
final class Faults {
    private static final int SHOWN = 20;

    private final List<String> messages = new ArrayList<>();

    void add(String message) {
        messages.add(message);
    }

    boolean isEmpty() {
        return messages.isEmpty();
    }

    int size() {
        return messages.size();
    }

    /// The first twenty, and how many more there are.
    @Override
    public String toString() {
        return join(messages);
    }

    /// The first twenty, and how many more there are.
    static String join(Collection<String> messages) {
        String shown = String.join("; ", messages.stream().limit(SHOWN).toList());
        return messages.size() <= SHOWN ? shown : shown + "; and " + (messages.size() - SHOWN) + " more";
    }
}
