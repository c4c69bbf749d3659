package io.millrace.udf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Which executors hold cards, and what became of those that do not any more, on the driver.
///
/// Static for the reason that {@link RunProgress} is: Spark makes the plugin that is told, and there is one
/// Spark context per process.
public final class CardRoster {
    private static final Map<String, List<String>> HELD = new TreeMap<>();
    private static final List<String> TROUBLES = new ArrayList<>();

    private CardRoster() {}

    static synchronized void clear() {
        HELD.clear();
        TROUBLES.clear();
    }

    static synchronized void receive(CardNotice notice) {
        switch (notice) {
            case CardNotice.Taken(String executor, List<String> addresses) -> HELD.put(executor, addresses);
            case CardNotice.Lost(String executor, List<String> addresses, String reason) -> {
                HELD.remove(executor);
                TROUBLES.add("cards " + addresses + " of executor " + executor + ": " + reason);
            }
            case CardNotice.Refused(String executor, String reason) -> {
                HELD.remove(executor);
                TROUBLES.add("executor " + executor + ": " + reason);
            }
        }
    }

    static synchronized void gone(String executorId) {
        HELD.remove(executorId);
    }

    /// The cards that executors hold now, by executor.
    public static synchronized Map<String, List<String>> held() {
        return Map.copyOf(HELD);
    }

    /// What went wrong with cards, in its order; empty if nothing did.
    public static synchronized List<String> troubles() {
        return List.copyOf(TROUBLES);
    }
}
