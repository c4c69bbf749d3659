package io.millrace.udf;

import io.millrace.engine.api.ErrorCode;
import java.util.List;

/// Cards that this process holds until it gives them back or ends. Thread-safe.
public interface CardLease extends AutoCloseable {

    /// The cards' logical ids, ascending.
    List<String> addresses();

    /// Says that these cards failed: nobody takes them again in this run. They stay held until this process
    /// ends.
    ///
    /// @param code kind of failure
    /// @param reason as the engine put it
    void retire(ErrorCode code, String reason);

    @Override
    void close();
}
