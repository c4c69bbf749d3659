package io.millrace.jobs.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;

/// A chart, as the page's script reads it.
///
/// @param caption what it shows, for a person
/// @param kind `lines` over numbers, or `bars` over labels
/// @param labels of the bars; none of lines
/// @param x places of the points of all lines, rising; none of bars
/// @param xTitle what the horizontal axis counts, with its unit
/// @param yTitle likewise
/// @param series a line or set of bars each
record Chart(
        String caption,
        String kind,
        List<String> labels,
        List<Double> x,
        String xTitle,
        String yTitle,
        List<Series> series) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Values in the order of the labels or places.
    record Series(String name, List<Double> values) {}

    static Chart bars(String caption, String xTitle, String yTitle, List<String> labels, List<Double> values) {
        return new Chart(caption, "bars", labels, List.of(), xTitle, yTitle, List.of(new Series(yTitle, values)));
    }

    static Chart lines(String caption, String xTitle, String yTitle, List<Double> x, List<Series> series) {
        return new Chart(caption, "lines", List.of(), x, xTitle, yTitle, series);
    }

    String json() {
        try {
            return JSON.writeValueAsString(Map.of(
                    "kind", kind, "labels", labels, "x", x, "xTitle", xTitle, "yTitle", yTitle, "series", series));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("lists of strings and numbers can be written", e);
        }
    }
}
