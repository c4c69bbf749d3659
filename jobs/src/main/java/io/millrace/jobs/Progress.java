package io.millrace.jobs;

import io.millrace.udf.RunProgress;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// Shows how far a run is: one line drawn over and over on a terminal, a line now and then elsewhere.
/// Figures are the executors' own, up to a second old; rows of a task that Spark runs again count twice
/// here, and only here.
final class Progress implements AutoCloseable {
    private static final long REDRAW_MILLIS = 500;
    /// Without and with the breaking of lines that are longer than the terminal is wide.
    private static final String CUT = "\u001b[?7l";
    private static final String BREAK = "\u001b[?7h";

    private final PrintWriter out;
    private final boolean redraws;
    private final long plannedRows;
    private final long rowsBefore;
    private final Runnable onFirstTokens;
    private final String label;
    private boolean begun;
    private final long startedNanos = System.nanoTime();
    private final RunProgress.Totals before = RunProgress.totals();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("progress").daemon().factory());

    private Progress(
            PrintWriter out, boolean redraws, long plannedRows, long rowsBefore, String label, Runnable onFirstTokens) {
        this.out = out;
        this.redraws = redraws;
        this.plannedRows = plannedRows;
        this.rowsBefore = rowsBefore;
        this.label = label;
        this.onFirstTokens = onFirstTokens;
    }

    /// Shows progress until closed.
    ///
    /// @param redraws whether `out` is a terminal
    /// @param seconds between lines if it is none
    /// @param rowsBefore rows of the plan that were done before
    /// @param onFirstTokens run once, when the first completion tokens have been seen
    static Progress start(
            PrintWriter out, boolean redraws, int seconds, long plannedRows, long rowsBefore, Runnable onFirstTokens) {
        Progress progress = new Progress(out, redraws, plannedRows, rowsBefore, "", onFirstTokens);
        progress.show(seconds);
        Future<?> _ = progress.timer.scheduleAtFixedRate(
                progress::watch, REDRAW_MILLIS, REDRAW_MILLIS, TimeUnit.MILLISECONDS);
        return progress;
    }

    /// Shows the progress of a retry until closed.
    ///
    /// @param round which retry
    /// @param rows how many rows are computed again
    static Progress startRetry(PrintWriter out, boolean redraws, int seconds, int round, long rows) {
        Progress progress = new Progress(out, redraws, rows, 0, "retry " + round + ": ", () -> {});
        progress.show(seconds);
        return progress;
    }

    private void show(int seconds) {
        long periodMillis = redraws ? REDRAW_MILLIS : TimeUnit.SECONDS.toMillis(seconds);
        Future<?> _ = timer.scheduleAtFixedRate(this::show, periodMillis, periodMillis, TimeUnit.MILLISECONDS);
    }

    private void watch() {
        RunProgress.Totals done = RunProgress.totals().since(before);
        if (!begun && done.completionTokens() > 0) {
            begun = true;
            out.println((redraws ? "\r\u001b[K" : "") + "first tokens "
                    + Duration.ofNanos(System.nanoTime() - startedNanos).toMillis() / 1000.0 + " s after the plan, "
                    + sinceStart().toMillis() / 1000.0 + " s after the start");
            out.flush();
            onFirstTokens.run();
        }
    }

    /// How long this JVM has been up.
    private static Duration sinceStart() {
        return Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime());
    }

    private void show() {
        Duration elapsed = Duration.ofNanos(System.nanoTime() - startedNanos);
        String line = label + line(RunProgress.totals().since(before), plannedRows, rowsBefore, elapsed);
        if (redraws) {
            out.print("\r\u001b[K" + CUT + line + BREAK);
        } else {
            out.println(line);
        }
        out.flush();
    }

    /// One line of figures.
    static String line(RunProgress.Totals done, long plannedRows, long rowsBefore, Duration elapsed) {
        long now = Math.min(done.rowsOk() + done.rowsError(), plannedRows - rowsBefore);
        long rows = rowsBefore + now;
        double seconds = Math.max(elapsed.toMillis() / 1000.0, 0.001);
        return String.format(
                Locale.ROOT,
                "%d/%d rows (%d%%)  %.0f tok/s in  %.0f tok/s out  %s cached  %d running  %d waiting  ETA %s  %s",
                rows,
                plannedRows,
                plannedRows == 0 ? 100 : 100 * rows / plannedRows,
                done.promptTokens() / seconds,
                done.completionTokens() / seconds,
                done.promptTokens() == 0 ? "0%" : 100 * done.cachedTokens() / done.promptTokens() + "%",
                done.running(),
                done.waiting(),
                now == 0 ? "?" : clock(Math.round(seconds * (plannedRows - rows) / now)),
                errors(done));
    }

    /// `3 errors (TEXT_NULL 2, INVALID_REQUEST 1)`, the most frequent first.
    private static String errors(RunProgress.Totals done) {
        String classes = done.errors().entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
                .map(error -> error.getKey() + " " + error.getValue())
                .collect(Collectors.joining(", "));
        return done.rowsError() + " errors" + (classes.isEmpty() ? "" : " (" + classes + ")");
    }

    /// Seconds as `1:02:03` or `2:03`.
    static String clock(long seconds) {
        return seconds >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        if (redraws) {
            out.print("\r\u001b[K");
            out.flush();
        }
    }
}
