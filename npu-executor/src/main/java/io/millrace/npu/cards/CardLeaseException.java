package io.millrace.npu.cards;

import java.io.Serial;

/// Cards that cannot be had, told in one message.
public final class CardLeaseException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public CardLeaseException(String message) {
        super(message);
    }

    public CardLeaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
