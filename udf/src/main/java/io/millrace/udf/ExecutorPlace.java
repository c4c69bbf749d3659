package io.millrace.udf;

import java.util.List;

/// Which executor this process is, and the cards that are its own.
///
/// Static for the reason {@link ExecutorEngine} is: Spark tells it the plugin once, when the executor starts, and
/// nothing that it hands to tasks or engines carries it. It never changes afterwards.
///
/// @param executorId as Spark names it; `driver` where driver and executor are one process
/// @param cards addresses of the cards of its group, as the discovery named them; empty if it has none
public record ExecutorPlace(String executorId, List<String> cards) {
    private static volatile ExecutorPlace ofThisProcess = new ExecutorPlace("driver", List.of());

    public ExecutorPlace {
        cards = List.copyOf(cards);
    }

    /// This process; without cards before the plugin has started.
    public static ExecutorPlace ofThisProcess() {
        return ofThisProcess;
    }

    static void set(ExecutorPlace place) {
        ofThisProcess = place;
    }
}
