package io.millrace.udf.served;

import io.millrace.engine.api.ErrorCode;
import java.io.Serial;
import java.time.Duration;

/// Why a server did not answer a request.
final class ServerFault extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /// What is to be done about it.
    enum Kind {
        /// The connection could not be made or broke, or the answer ended before its end: the server may be dead.
        LOST,
        /// The server has a fault, and said so.
        FAILED,
        /// The server has too much to do.
        BUSY,
        /// The answer took too long.
        LATE,
        /// The server does not want this request.
        REFUSED,
        /// The server wants no request of ours: a wrong key, no such model, an empty account.
        SHUT
    }

    private final Kind kind;
    private final ErrorCode code;
    private final transient Duration wait;

    ServerFault(Kind kind, String message) {
        this(kind, code(kind), message, Duration.ZERO);
    }

    /// @param wait how long the server asked us to wait; 0 if it did not say
    ServerFault(Kind kind, ErrorCode code, String message, Duration wait) {
        super(message, null, false, false);
        this.kind = kind;
        this.code = code;
        this.wait = wait;
    }

    private static ErrorCode code(Kind kind) {
        return switch (kind) {
            case LOST, FAILED -> ErrorCode.SERVER_FAILED;
            case BUSY -> ErrorCode.SERVER_BUSY;
            case LATE -> ErrorCode.SERVER_TIMEOUT;
            case REFUSED -> ErrorCode.SERVER_REFUSED;
            case SHUT -> ErrorCode.DEVICE_FAILED;
        };
    }

    Kind kind() {
        return kind;
    }

    /// What a row that is given up says.
    ErrorCode code() {
        return code;
    }

    Duration waitAsked() {
        return wait;
    }
}
