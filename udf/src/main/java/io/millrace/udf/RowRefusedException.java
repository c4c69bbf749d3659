package io.millrace.udf;

import java.io.Serial;

/// A row that cannot be a request. Never leaves {@link PromptRows}; has no stack trace, being an answer and
/// not a fault of the program.
final class RowRefusedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final RowFault fault;
    private final String reason;

    RowRefusedException(RowFault fault, String reason) {
        super(reason, null, false, false);
        this.fault = fault;
        this.reason = reason;
    }

    RowFault fault() {
        return fault;
    }

    String reason() {
        return reason;
    }
}
