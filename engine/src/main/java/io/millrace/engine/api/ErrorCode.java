package io.millrace.engine.api;

/// What went wrong, counted and reported by name.
public enum ErrorCode {
    /// The row's text or parameters cannot be processed (empty prompt, prompt longer than the context, ...).
    INVALID_REQUEST(ErrorKind.BAD_INPUT, false),
    /// The prompt and the requested tokens need more positions than the model has.
    CONTEXT_EXCEEDED(ErrorKind.BAD_INPUT, false),
    /// The request's cache alone is larger than the engine's whole budget.
    CACHE_BUDGET_EXCEEDED(ErrorKind.INSUFFICIENT_RESOURCES, false),
    /// A file or a tensor of the model is missing, damaged or of another shape than its configuration says.
    MODEL_MISMATCH(ErrorKind.MODEL_MISMATCH, false),
    /// The model's folder or a file in it cannot be read.
    MODEL_UNREADABLE(ErrorKind.MODEL_MISMATCH, true),
    /// A model of another file system cannot be brought to this host's disk.
    MODEL_NOT_STAGED(ErrorKind.INSUFFICIENT_RESOURCES, true),
    /// A setting is out of range or two settings contradict each other.
    BAD_CONFIGURATION(ErrorKind.BAD_INPUT, false),
    /// The device failed.
    DEVICE_FAILED(ErrorKind.DEVICE, true),
    /// The engine was closed while the request was under way.
    ENGINE_CLOSED(ErrorKind.DEVICE, true),
    /// The engine made no progress for longer than it may.
    ENGINE_STALLED(ErrorKind.DEVICE, true),
    /// A server that was asked has a fault, or the connection to it broke.
    SERVER_FAILED(ErrorKind.SERVER, true),
    /// A server that was asked has more to do than it takes.
    SERVER_BUSY(ErrorKind.SERVER, true),
    /// A server that was asked did not answer in time.
    SERVER_TIMEOUT(ErrorKind.SERVER, true),
    /// A server that was asked refused the request, or answered it with something else than was asked for.
    SERVER_REFUSED(ErrorKind.SERVER, false),
    /// A fault of our own.
    INTERNAL(ErrorKind.INTERNAL, true);

    private final ErrorKind kind;
    private final boolean retryable;

    ErrorCode(ErrorKind kind, boolean retryable) {
        this.kind = kind;
        this.retryable = retryable;
    }

    public ErrorKind kind() {
        return kind;
    }

    /// Whether the same request may succeed when it is tried again unchanged.
    public boolean isRetryable() {
        return retryable;
    }
}
