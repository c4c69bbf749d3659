package io.millrace.udf.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.Retry;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/// The logs of a run, for whoever reads them afterwards.
public final class RolloutLogs {

    private RolloutLogs() {}

    /// The directory of one rollout.
    ///
    /// @param retry which it is; null for the first
    static Path directory(String logDir, String requestId, @Nullable Retry retry) {
        return new Path(logDir, retry == null ? requestId : requestId + "-" + retry.attempt());
    }

    /// A rollout as mini-swe-agent writes it, as far as it has come; null if it never began.
    ///
    /// @param attempt which retry; 0 for none
    /// @throws IOException if the log cannot be read
    public static @Nullable ObjectNode trajectory(String logDir, String requestId, int attempt, Configuration conf)
            throws IOException {
        Path directory = new Path(logDir, attempt == 0 ? requestId : requestId + "-" + attempt);
        try (RolloutLog log = RolloutLog.open(directory, conf)) {
            return log.records().isEmpty()
                    ? null
                    : Conversation.of(log.records()).trajectory();
        }
    }
}
