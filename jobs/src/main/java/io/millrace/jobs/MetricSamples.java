package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.ProgressReport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// What executors reported over the time of a run, a line of JSON for each look. As many lines as fit: when
/// there are too many, every second one goes, and the looks that follow are twice as far apart.
final class MetricSamples {
    static final int MOST = 1000;
    private static final Duration FIRST_INTERVAL = Duration.ofSeconds(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    private List<String> lines;
    private Duration interval = FIRST_INTERVAL;

    /// @param earlier lines of the starts before
    MetricSamples(List<String> earlier) {
        lines = new ArrayList<>(earlier);
    }

    /// Adds a look.
    ///
    /// @param start which start of the run, from 1
    /// @param elapsed since that start
    /// @param reports of executors; those without an engine yet are left out
    void add(Instant at, int start, Duration elapsed, List<ProgressReport> reports) {
        if (lines.size() >= MOST) {
            lines = everySecond(lines);
            interval = interval.multipliedBy(2);
        }
        ObjectNode line = JSON.createObjectNode();
        line.put("at", at.toString());
        line.put("start", start);
        line.put("elapsed_ms", elapsed.toMillis());
        var executors = line.putArray("executors");
        for (ProgressReport report : reports) {
            if (report.device() != null) {
                executors.add(executor(report));
            }
        }
        lines.add(json(line));
    }

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can always be written", e);
        }
    }

    /// The first line of a start says what the executors had counted before it, and is kept.
    private static List<String> everySecond(List<String> lines) {
        List<String> kept = new ArrayList<>();
        int before = 0;
        for (int at = 0; at < lines.size(); at++) {
            int start = start(lines.get(at));
            if (at % 2 == 0 || start != before) {
                kept.add(lines.get(at));
            }
            before = start;
        }
        return kept;
    }

    private static int start(String line) {
        try {
            return JSON.readTree(line).path("start").asInt();
        } catch (JsonProcessingException _) {
            // what another program has written here is not lost because of us
            return 0;
        }
    }

    private static ObjectNode executor(ProgressReport report) {
        ObjectNode node = JSON.createObjectNode();
        node.put("id", report.executorId());
        node.put("device", report.device());
        report.cards().forEach(node.putArray("cards")::add);
        node.put("rows_ok", report.rowsOk());
        node.put("rows_error", report.rowsError());
        node.put("prompt_tokens", report.promptTokens());
        node.put("cached_tokens", report.cachedTokens());
        node.put("completion_tokens", report.completionTokens());
        node.put("steps", report.steps());
        node.put("step_tokens", report.stepTokens());
        node.put("step_capacity", report.stepCapacity());
        node.put("running", report.running());
        node.put("waiting", report.waiting());
        node.put("cache_bytes", report.cacheBytes());
        node.put("prefix_bytes", report.prefixBytes());
        return node;
    }

    /// Until the next look.
    Duration interval() {
        return interval;
    }

    /// All lines, each with its end.
    String text() {
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }
}
