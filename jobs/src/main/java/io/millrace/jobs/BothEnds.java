package io.millrace.jobs;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Two jobs over the same shards that begin at opposite ends, each passing over what the other committed.
/// When one has come through, all is committed, and the other is ended; so the rows of a kind that is lost
/// altogether are answered by the other.
final class BothEnds {
    private static final Logger log = LoggerFactory.getLogger(BothEnds.class);
    private static final long PAUSE_NANOS = 50_000_000;
    /// Spark's count of running tasks is up to a tenth of a second old.
    private static final int QUIET_LOOKS = 10;

    private final JavaSparkContext spark;

    BothEnds(JavaSparkContext spark) {
        this.spark = spark;
    }

    /// Returns when all shards are committed and no task runs that could still commit one.
    ///
    /// @throws JobException if both fail
    void await(JavaFutureAction<Void> head, JavaFutureAction<Void> tail) {
        while (!head.isDone() && !tail.isDone()) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        boolean headFirst = head.isDone();
        JavaFutureAction<Void> first = headFirst ? head : tail;
        JavaFutureAction<Void> other = headFirst ? tail : head;
        ExecutionException failure = failure(first);
        if (failure == null) {
            end(other);
            return;
        }
        log.warn("One kind of engine is given up, the other takes all that is left", failure);
        ExecutionException second = failure(other);
        if (second != null) {
            second.addSuppressed(failure);
            List<String> known = Causes.messages(second);
            throw new JobException(
                    known.isEmpty() ? "both kinds of engines failed: " + second : known.getLast(), second);
        }
    }

    /// Waits for the end.
    private static @Nullable ExecutionException failure(JavaFutureAction<Void> job) {
        try {
            job.get();
            return null;
        } catch (ExecutionException e) {
            return e;
        } catch (CancellationException e) {
            return new ExecutionException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new ExecutionException(e);
        }
    }

    /// Its tasks end by themselves, since there is nothing left to do; those that no executor is there for
    /// never begin.
    private void end(JavaFutureAction<Void> job) {
        int quiet = 0;
        while (!job.isDone() && quiet < QUIET_LOOKS) {
            LockSupport.parkNanos(PAUSE_NANOS);
            quiet = activeTasks(job) == 0 ? quiet + 1 : 0;
        }
        boolean _ = job.cancel(true);
    }

    private int activeTasks(JavaFutureAction<Void> job) {
        int active = 0;
        for (int jobId : job.jobIds()) {
            var info = spark.statusTracker().getJobInfo(jobId);
            for (int stageId : info == null ? new int[0] : info.stageIds()) {
                SparkStageInfo stage = spark.statusTracker().getStageInfo(stageId);
                active += stage == null ? 0 : stage.numActiveTasks();
            }
        }
        return active;
    }
}
