package io.millrace.udf.agent;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/// What keeps one rollout from going on, through no fault of the agent: its row becomes an error row.
final class RolloutException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String code;
    private final boolean retryable;

    /// Of what a second attempt would not mend.
    ///
    /// @param code stable word
    RolloutException(String code, String message) {
        super(message);
        this.code = code;
        this.retryable = false;
    }

    RolloutException(String code, String message, boolean retryable, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
        this.retryable = retryable;
    }

    String code() {
        return code;
    }

    boolean isRetryable() {
        return retryable;
    }
}
