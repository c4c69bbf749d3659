package io.millrace.quality;

/// No verdict can be reached: the output, the rules or the request cannot be used. The message is for a
/// person and says what, expected, got and where.
public final class AuditException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String message;

    public AuditException(String message) {
        super(message);
        this.message = message;
    }

    public AuditException(String message, Throwable cause) {
        super(message, cause);
        this.message = message;
    }

    @Override
    public String getMessage() {
        return message;
    }
}
