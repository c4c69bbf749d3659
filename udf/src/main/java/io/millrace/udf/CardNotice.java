package io.millrace.udf;

import java.io.Serializable;
import java.util.List;

/// What an executor tells the driver of its cards.
public sealed interface CardNotice extends Serializable {

    /// Spark's name of the executor.
    String executorId();

    /// It holds these.
    ///
    /// @param addresses their logical ids on the executor's host
    record Taken(String executorId, List<String> addresses) implements CardNotice {}

    /// These failed; the executor computes nothing any more.
    record Lost(String executorId, List<String> addresses, String reason) implements CardNotice {}

    /// It got none, and ends.
    record Refused(String executorId, String reason) implements CardNotice {}
}
