package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// How a run went on, from `metrics.jsonl`: what was done between each sample and the one before, of all
/// executors and of each. The first sample of a start says what was counted before it. A counter that is
/// smaller than before belongs to another engine and counts from 0. Time is that in which the run ran: starts follow
/// each other without the pause between them.
final class TimeLine {
    private static final String FILE = RunFolder.aside("metrics.jsonl");
    private static final int MOST_POINTS = 240;

    /// Counters of an engine, as they are named in the file.
    enum Counter {
        ROWS_OK,
        ROWS_ERROR,
        PROMPT_TOKENS,
        CACHED_TOKENS,
        COMPLETION_TOKENS,
        STEPS,
        STEP_TOKENS,
        STEP_CAPACITY;

        private final String key = name().toLowerCase(Locale.ROOT);
    }

    /// What was done from one sample to the next.
    ///
    /// @param untilMs end, in milliseconds of running time
    /// @param running sequences that ran at the end; likewise the others
    record Span(
            double ms,
            double untilMs,
            Map<Counter, Long> done,
            long running,
            long waiting,
            long cacheBytes,
            long prefixBytes) {

        long done(Counter counter) {
            return done.getOrDefault(counter, 0L);
        }

        /// This one and the next.
        private Span and(Span next) {
            Map<Counter, Long> sum = new EnumMap<>(done);
            next.done.forEach((counter, more) -> sum.merge(counter, more, Long::sum));
            return new Span(
                    ms + next.ms, next.untilMs, sum, next.running, next.waiting, next.cacheBytes, next.prefixBytes);
        }
    }

    /// What an executor did in the whole run.
    static final class Executor {
        private String device = "";
        private String cards = "";
        private final Map<Counter, Long> done = new EnumMap<>(Counter.class);
        private long mostCacheBytes;
        private double ms;

        String device() {
            return device;
        }

        String cards() {
            return cards;
        }

        long done(Counter counter) {
            return done.getOrDefault(counter, 0L);
        }

        long mostCacheBytes() {
            return mostCacheBytes;
        }

        /// Milliseconds for which samples name it.
        double ms() {
            return ms;
        }
    }

    private final List<Span> spans = new ArrayList<>();
    private final SortedMap<String, Executor> executors = new TreeMap<>();
    private final Map<String, Map<Counter, Long>> before = new HashMap<>();
    private int start = -1;
    private double offsetMs;
    private double elapsedMs;

    private TimeLine() {}

    static TimeLine read(RunFolder run) {
        TimeLine line = new TimeLine();
        run.forEachLine(FILE, line::add);
        return line;
    }

    private void add(JsonNode sample) {
        if (sample.path("start").asInt(1) != start) {
            begin(sample);
            return;
        }
        double ms = sample.path("elapsed_ms").asDouble() - elapsedMs;
        Map<Counter, Long> done = none();
        long running = 0;
        long waiting = 0;
        long cache = 0;
        long prefix = 0;
        for (JsonNode executor : sample.path("executors")) {
            add(executor, done, Math.max(0, ms));
            running += executor.path("running").asLong();
            waiting += executor.path("waiting").asLong();
            cache += executor.path("cache_bytes").asLong();
            prefix += executor.path("prefix_bytes").asLong();
        }
        elapsedMs += Math.max(0, ms);
        Span span = new Span(Math.max(0, ms), offsetMs + elapsedMs, done, running, waiting, cache, prefix);
        if (ms > 0 || spans.isEmpty()) {
            spans.add(span);
        } else {
            // the same moment told twice, as a run's last sample may be
            spans.add(spans.removeLast().and(span));
        }
    }

    private void begin(JsonNode sample) {
        start = sample.path("start").asInt(1);
        offsetMs += elapsedMs;
        elapsedMs = sample.path("elapsed_ms").asDouble();
        before.clear();
        for (JsonNode executor : sample.path("executors")) {
            before.put(executor.path("id").asText(), counters(executor));
        }
    }

    private static Map<Counter, Long> counters(JsonNode sample) {
        Map<Counter, Long> counters = none();
        counters.replaceAll((counter, _) -> sample.path(counter.key).asLong());
        return counters;
    }

    private void add(JsonNode sample, Map<Counter, Long> done, double ms) {
        String id = sample.path("id").asText();
        Executor executor = executors.computeIfAbsent(id, _ -> new Executor());
        executor.device = sample.path("device").asText();
        List<String> cards = new ArrayList<>();
        sample.path("cards").forEach(card -> cards.add(card.asText()));
        executor.cards = String.join(", ", cards);
        executor.mostCacheBytes = Math.max(
                executor.mostCacheBytes,
                sample.path("cache_bytes").asLong()
                        + sample.path("prefix_bytes").asLong());
        executor.ms += ms;
        Map<Counter, Long> now = counters(sample);
        Map<Counter, Long> last = before.getOrDefault(id, none());
        boolean anew =
                now.entrySet().stream().anyMatch(count -> count.getValue() < last.getOrDefault(count.getKey(), 0L));
        now.forEach((counter, count) -> {
            long more = count - (anew ? 0 : last.getOrDefault(counter, 0L));
            done.merge(counter, more, Long::sum);
            executor.done.merge(counter, more, Long::sum);
        });
        before.put(id, now);
    }

    private static Map<Counter, Long> none() {
        Map<Counter, Long> none = new EnumMap<>(Counter.class);
        for (Counter counter : Counter.values()) {
            none.put(counter, 0L);
        }
        return none;
    }

    boolean isEmpty() {
        return spans.isEmpty();
    }

    /// Running time, in seconds.
    double seconds() {
        return spans.isEmpty() ? 0 : spans.getLast().untilMs() / 1000;
    }

    /// Seconds of all executors together.
    double executorSeconds() {
        return executors.values().stream().mapToDouble(Executor::ms).sum() / 1000;
    }

    long total(Counter counter) {
        return spans.stream().mapToLong(span -> span.done(counter)).sum();
    }

    /// By name.
    SortedMap<String, Executor> executors() {
        return executors;
    }

    /// Spans of a time each, at most 240: neighbours are taken together.
    List<Span> spans() {
        int together = Math.ceilDiv(Math.max(1, spans.size()), MOST_POINTS);
        List<Span> few = new ArrayList<>();
        for (int at = 0; at < spans.size(); at += together) {
            few.add(spans.subList(at, Math.min(spans.size(), at + together)).stream()
                    .reduce(Span::and)
                    .orElseThrow());
        }
        few.removeIf(span -> span.ms() <= 0);
        return few;
    }

    /// A chart over minutes.
    Chart chart(String caption, String yTitle, Map<String, ToDoubleFunction<Span>> lines) {
        List<Span> few = spans();
        List<Double> minutes = few.stream().map(span -> span.untilMs() / 60_000).toList();
        List<Chart.Series> series = new ArrayList<>();
        lines.forEach((name, value) -> series.add(
                new Chart.Series(name, few.stream().map(value::applyAsDouble).toList())));
        return Chart.lines(caption, "running time, minutes", yTitle, minutes, series);
    }

    /// How many a second.
    static ToDoubleFunction<Span> rate(Counter counter) {
        return rate(span -> span.done(counter));
    }

    static ToDoubleFunction<Span> rate(ToLongFunction<Span> done) {
        return span -> 1000 * done.applyAsLong(span) / span.ms();
    }

    /// Share of the places of all steps that had a token in them, in percent.
    static double occupancy(Span span) {
        long capacity = span.done(Counter.STEP_CAPACITY);
        return capacity == 0 ? 0 : 100.0 * span.done(Counter.STEP_TOKENS) / capacity;
    }
}
