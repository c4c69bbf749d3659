package io.millrace.jobs;

import io.millrace.engine.api.EngineException;
import io.millrace.npu.cards.CardLeaseException;
import io.millrace.udf.shard.ShardException;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkThrowable;
import org.jspecify.annotations.Nullable;

/// Finds what a person needs to know in a chain of causes.
final class Causes {
    private Causes() {}

    /// Messages of our own exceptions and Spark's in the chain, outermost first; empty if there is none,
    /// which makes it a fault of the program.
    static List<String> messages(Throwable failure) {
        List<String> messages = new ArrayList<>();
        for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
            boolean ours = cause instanceof JobException
                    || cause instanceof EngineException
                    || cause instanceof ShardException
                    || cause instanceof CardLeaseException;
            if (ours || cause instanceof SparkThrowable || cause instanceof org.apache.spark.SparkException) {
                String message = ours ? String.valueOf(cause.getMessage()) : firstLine(cause.getMessage());
                if (!messages.contains(message)) {
                    messages.add(message);
                }
            }
            if (ours) {
                return List.of(messages.getLast());
            }
        }
        return messages;
    }

    private static String firstLine(@Nullable String message) {
        return message == null ? "no message" : message.lines().findFirst().orElse("");
    }
}
