package io.millrace.udf;

/// Which executor this process is.
///
/// Static for the reason {@link ExecutorEngine} is: Spark tells it the plugin once, when the executor starts, and
/// nothing that it hands to tasks or engines carries it. It never changes afterwards.
///
/// @param executorId as Spark names it; `driver` where driver and executor are one process
public record ExecutorPlace(String executorId) {
    private static volatile ExecutorPlace ofThisProcess = new ExecutorPlace("driver");

    /// This process.
    public static ExecutorPlace ofThisProcess() {
        return ofThisProcess;
    }

    static void set(ExecutorPlace place) {
        ofThisProcess = place;
    }
}
