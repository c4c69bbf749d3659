package io.millrace.engine.api;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/// Every failure of the engine that is not a programming error of the caller. The message says what,
/// expected, got and where. Serializable, so that Spark can carry it to the driver: it holds a code and text
/// only.
public final class EngineException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    public EngineException(ErrorCode code, String message) {
        this(code, message, null);
    }

    public EngineException(ErrorCode code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    public ErrorCode code() {
        return code;
    }
}
