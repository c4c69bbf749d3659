package io.millrace.engine.api;

/// Who has to act on an error.
public enum ErrorKind {
    BAD_INPUT,
    MODEL_MISMATCH,
    INSUFFICIENT_RESOURCES,
    DEVICE,
    INTERNAL,
    /// Whoever runs the server that was asked.
    SERVER
}
