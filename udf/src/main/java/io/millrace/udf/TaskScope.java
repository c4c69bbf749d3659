package io.millrace.udf;

import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.util.TaskCompletionListener;
import org.jspecify.annotations.Nullable;

/// The running Spark task: whether it was killed, and what to clean up when it ends in whatever way.
/// Made on the task's thread, since Spark knows the task by its thread; usable from any afterwards.
/// Outside of Spark (in a plain unit test) it is never killed and cleans up nothing.
public final class TaskScope {
    private final @Nullable TaskContext context;

    private TaskScope(@Nullable TaskContext context) {
        this.context = context;
    }

    /// The task that this thread runs.
    public static TaskScope ofThisThread() {
        return new TaskScope(TaskContext.get());
    }

    /// Runs `cleanup` when the task completes, fails or is killed. An iterator that outlives the call that
    /// made it cannot use try-with-resources.
    public void onEnd(Runnable cleanup) {
        if (context != null) {
            TaskCompletionListener listener = _ -> cleanup.run();
            context.addTaskCompletionListener(listener);
        }
    }

    /// @throws TaskKilledException if Spark has killed the task
    public void throwIfKilled() {
        if (context != null && context.isInterrupted()) {
            throw new TaskKilledException("killed while waiting for the engine");
        }
    }
}
