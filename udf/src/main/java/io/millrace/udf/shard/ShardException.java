package io.millrace.udf.shard;

import java.io.Serial;

/// A shard that could not be read or written: what, expected, got, where. Fails the task, so that Spark tries
/// it again; text only, since Spark carries it to the driver.
public final class ShardException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public ShardException(String message) {
        super(message);
    }

    public ShardException(String message, Throwable cause) {
        super(message, cause);
    }
}
