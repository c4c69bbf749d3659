package io.millrace.jobs;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.api.java.JavaSparkContext;

/// What happens when the process is asked to end (Ctrl-C, `kill`) while a run is under way: shards under
/// way are abandoned, and the run has time to say how far it came, before Spark and the file systems go.
final class Interruption implements AutoCloseable {
    /// Before the hooks of Spark and of Hadoop's file systems, which have 50 at most.
    private static final int PRIORITY = 100;
    private static final long PATIENCE_SECONDS = 30;

    private final JavaSparkContext spark;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Runnable hook = this::interrupt;
    private volatile boolean asked;

    private Interruption(JavaSparkContext spark) {
        this.spark = spark;
    }

    /// Watches until closed.
    static Interruption watch(JavaSparkContext spark) {
        Interruption interruption = new Interruption(spark);
        ShutdownHookManager.get().addShutdownHook(interruption.hook, PRIORITY, PATIENCE_SECONDS, TimeUnit.SECONDS);
        return interruption;
    }

    private void interrupt() {
        asked = true;
        spark.cancelAllJobs();
        try {
            // if it takes longer, nothing is lost but the last word
            boolean _ = ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Whether the process has been asked to end.
    boolean isAsked() {
        return asked;
    }

    @Override
    public void close() {
        ended.countDown();
        if (!ShutdownHookManager.get().isShutdownInProgress()) {
            ShutdownHookManager.get().removeShutdownHook(hook);
        }
    }
}
