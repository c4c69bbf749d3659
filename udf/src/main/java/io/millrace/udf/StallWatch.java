package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import java.time.Duration;

/// Notices that an engine that is waited for makes no step. Time in which the waiting thread did not run
/// either, because the whole process or machine stood still, does not count. Confined to one thread.
public final class StallWatch {
    /// More time between two looks than this is not the engine's fault.
    private static final long LONGEST_LOOK_NANOS = Duration.ofSeconds(1).toNanos();

    private final long patienceNanos;
    private long steps = -1;
    private long seenNanos;
    private long idleNanos;

    /// @param patience how long no step may be made
    public StallWatch(Duration patience) {
        patienceNanos = patience.toNanos();
    }

    /// To be asked several times a second.
    public boolean isStalled(EngineStats stats) {
        return isStalled(stats.steps(), System.nanoTime());
    }

    /// What is said of an engine that is.
    EngineException stalled(EngineStats stats) {
        return new EngineException(
                ErrorCode.ENGINE_STALLED,
                "engine: expected a step within "
                        + Duration.ofNanos(patienceNanos).toSeconds() + " s, got none with "
                        + stats.running() + " sequences running and " + stats.waiting()
                        + " waiting; it is opened anew (a slower model needs a larger engine.stall-seconds)");
    }

    boolean isStalled(long stepsNow, long nowNanos) {
        if (stepsNow == steps) {
            idleNanos += Math.min(nowNanos - seenNanos, LONGEST_LOOK_NANOS);
        } else {
            steps = stepsNow;
            idleNanos = 0;
        }
        seenNanos = nowNanos;
        return idleNanos > patienceNanos;
    }
}
