package io.millrace.udf;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/// The figures of a report as gauges of Spark's metrics system. Thread-safe.
final class ReportGauges {
    private static final Map<String, Function<ProgressReport, Number>> FIGURES = figures();

    private final MetricRegistry registry;
    private final String prefix;
    private volatile ProgressReport report;

    /// @param prefix of the gauges' names
    /// @param first what they show until {@link #update}
    ReportGauges(MetricRegistry registry, String prefix, ProgressReport first) {
        this.registry = registry;
        this.prefix = prefix;
        report = first;
        FIGURES.forEach((name, figure) -> add(name, figure));
        update(first);
    }

    private static Map<String, Function<ProgressReport, Number>> figures() {
        Map<String, Function<ProgressReport, Number>> figures = new LinkedHashMap<>();
        figures.put("rows_ok", ProgressReport::rowsOk);
        figures.put("rows_error", ProgressReport::rowsError);
        figures.put("prompt_tokens", ProgressReport::promptTokens);
        figures.put("cached_tokens", ProgressReport::cachedTokens);
        figures.put("completion_tokens", ProgressReport::completionTokens);
        figures.put("steps", ProgressReport::steps);
        figures.put("step_tokens", ProgressReport::stepTokens);
        figures.put("step_capacity", ProgressReport::stepCapacity);
        figures.put("running", ProgressReport::running);
        figures.put("waiting", ProgressReport::waiting);
        figures.put("cache_bytes", ProgressReport::cacheBytes);
        figures.put("prefix_bytes", ProgressReport::prefixBytes);
        figures.put(
                "expert_balance",
                report ->
                        report.experts() == null ? Double.NaN : report.experts().mean());
        return figures;
    }

    private void add(String name, Function<ProgressReport, Number> figure) {
        registry.register(prefix + name, (Gauge<Number>) () -> figure.apply(report));
    }

    /// Shows another report from now on.
    void update(ProgressReport next) {
        report = next;
        for (String code : next.errors().keySet()) {
            String name = "errors." + code;
            if (!registry.getNames().contains(prefix + name)) {
                add(name, latest -> latest.errors().getOrDefault(code, 0L));
            }
        }
    }
}
