package io.millrace.udf.ui;

import io.millrace.udf.ProgressReport;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.status.ElementTrackingStore;
import org.apache.spark.ui.SparkUI;
import org.jspecify.annotations.Nullable;

/// Takes what executors report, on the driver, to where Spark shows it: to the store behind the UI's tab at
/// once, and to the event log every half minute and whenever an executor comes to rest. Thread-safe.
public final class InferenceLog implements AutoCloseable {
    private static final long LOG_MILLIS = 30_000;
    /// What is called of late.
    private static final long RECENT_MILLIS = 10_000;

    private final SparkContext context;
    private final ElementTrackingStore store;
    private final Map<String, Executor> executors = new HashMap<>();

    private InferenceLog(SparkContext context) {
        this.context = context;
        store = (ElementTrackingStore) context.statusStore().store();
    }

    /// For a context that starts; adds the tab if it has a UI.
    public static InferenceLog of(SparkContext context) {
        InferenceLog log = new InferenceLog(context);
        if (context.ui().isDefined()) {
            SparkUI ui = context.ui().get();
            ui.attachTab(new InferenceTab(ui));
        }
        return log;
    }

    public synchronized void receive(ProgressReport report) {
        long now = System.currentTimeMillis();
        Executor executor = executors.computeIfAbsent(report.executorId(), _ -> new Executor());
        ExecutorView view = executor.next(report, now);
        store.write(view);
        boolean rests = report.running() == 0 && report.waiting() == 0;
        if (rests || now - executor.loggedAt >= LOG_MILLIS) {
            log(executor, now);
        }
    }

    private void log(Executor executor, long now) {
        ExecutorView view = executor.view;
        if (view != null && !view.report().equals(executor.logged)) {
            context.listenerBus().post(new InferenceUpdate(view));
            executor.logged = view.report();
            executor.loggedAt = now;
        }
    }

    /// Logs what is not logged yet.
    @Override
    public synchronized void close() {
        executors.values().forEach(executor -> log(executor, System.currentTimeMillis()));
    }

    /// What was heard of one executor.
    private static final class Executor {
        private final Deque<ExecutorView> recent = new ArrayDeque<>();
        private @Nullable ExecutorView view;
        private @Nullable ProgressReport logged;
        private long loggedAt;

        ExecutorView next(ProgressReport report, long now) {
            ExecutorView before = view;
            ExecutorView next = before == null
                    ? new ExecutorView(report, now, 0, 0, 0)
                    : next(before, recent.getFirst(), report, now);
            recent.addLast(next);
            while (now - recent.getFirst().atMillis() > RECENT_MILLIS) {
                recent.removeFirst();
            }
            view = next;
            return next;
        }

        private static ExecutorView next(ExecutorView last, ExecutorView earlier, ProgressReport report, long now) {
            boolean worked = tokens(report) != tokens(last.report());
            double seconds = Math.max(1, now - earlier.atMillis()) / 1000.0;
            return new ExecutorView(
                    report,
                    now,
                    last.activeMillis() + (worked ? now - last.atMillis() : 0),
                    (report.promptTokens() - earlier.report().promptTokens()) / seconds,
                    (report.completionTokens() - earlier.report().completionTokens()) / seconds);
        }

        private static long tokens(ProgressReport report) {
            return report.promptTokens() + report.completionTokens() + report.stepTokens();
        }
    }
}
