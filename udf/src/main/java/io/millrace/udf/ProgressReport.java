package io.millrace.udf;

import java.io.Serializable;

/// What one executor has done since it started; sent to the driver every second.
///
/// @param executorId Spark's name of the executor
/// @param rowsOk rows yielded with status ok
/// @param rowsError rows yielded with status error
/// @param promptTokens prompt tokens processed
/// @param completionTokens tokens generated
/// @param running sequences in the running batch now
/// @param waiting requests not yet admitted
public record ProgressReport(
        String executorId,
        long rowsOk,
        long rowsError,
        long promptTokens,
        long completionTokens,
        int running,
        int waiting)
        implements Serializable {}
