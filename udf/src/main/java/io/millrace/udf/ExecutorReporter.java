package io.millrace.udf;

import io.millrace.engine.api.ExpertLoad;
import org.apache.spark.api.plugin.PluginContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the driver what this executor has done: every second without waiting, and when the engine comes to
/// rest at the end of a task, before Spark learns of that end. So when a job is over the driver has heard
/// all of it. Thread-safe.
final class ExecutorReporter {
    private static final Logger log = LoggerFactory.getLogger(ExecutorReporter.class);
    /// Between reports of the experts while the engine is busy: a large model has ten thousand.
    private static final long EXPERTS_NANOS = 30_000_000_000L;

    private final PluginContext plugin;
    private final ExecutorEngine engine;
    private final @Nullable ReportGauges gauges;
    private ProgressReport settled;
    private ExpertLoad experts = ExpertLoad.NONE;
    private long expertsAt = System.nanoTime();

    /// @param hasMetrics whether the executor has metrics of its own, beside those of the driver
    ExecutorReporter(PluginContext plugin, ExecutorEngine engine, boolean hasMetrics) {
        this.plugin = plugin;
        this.engine = engine;
        settled = report();
        gauges = hasMetrics ? new ReportGauges(plugin.metricRegistry(), "", settled) : null;
    }

    private ProgressReport report() {
        return engine.report(plugin.executorID());
    }

    /// Sends a report.
    synchronized void tell() {
        try {
            ProgressReport report = report();
            show(report);
            plugin.send(report);
            if (report.isAtRest() || System.nanoTime() - expertsAt > EXPERTS_NANOS) {
                ExpertReport news = expertNews();
                if (news != null) {
                    plugin.send(news);
                }
            }
        } catch (Exception e) {
            // a missed report costs nothing: the next one holds the same sums
            log.debug("Progress report not sent", e);
        }
    }

    private void show(ProgressReport report) {
        if (gauges != null) {
            gauges.update(report);
        }
    }

    /// Null if the driver has heard it.
    private @Nullable ExpertReport expertNews() {
        ExpertLoad load = engine.expertLoad();
        if (load.equals(experts)) {
            return null;
        }
        experts = load;
        expertsAt = System.nanoTime();
        return ExpertReport.of(plugin.executorID(), load);
    }

    /// At the end of a task: returns when the driver has heard what is new, if nothing is under way.
    synchronized void settle() {
        ProgressReport report = report();
        if (!report.isAtRest() || report.equals(settled)) {
            return;
        }
        settled = report;
        show(report);
        try {
            Object _ = plugin.ask(report);
            ExpertReport news = expertNews();
            if (news != null) {
                Object _ = plugin.ask(news);
            }
        } catch (Exception e) {
            log.debug("Progress report not heard", e);
        }
    }
}
