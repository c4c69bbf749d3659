package io.millrace.udf.ui;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.millrace.udf.ProgressReport;
import org.apache.spark.util.kvstore.KVIndex;

/// An executor as the tab shows it; kept in the store of Spark's UI and written to the event log.
///
/// @param atMillis when it was reported, since the epoch
/// @param activeMillis how long its engine has been at work, as far as reports tell
/// @param promptRate prompt tokens per second of late
/// @param completionRate completion tokens per second of late
public record ExecutorView(
        ProgressReport report, long atMillis, long activeMillis, double promptRate, double completionRate) {

    /// The store's key.
    @KVIndex
    @JsonIgnore
    public String key() {
        return report.executorId();
    }

    /// Per second of the time at work; NaN where that is not known.
    double perSecond(long tokens) {
        return activeMillis == 0 ? Double.NaN : tokens * 1000.0 / activeMillis;
    }
}
