package io.millrace.jobs.plan;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What was expected of a run, and what it was.
///
/// @param measure the name in `forecast.json`: `prompt_tokens`, `cached_tokens`, `completion_tokens`, `steps`,
///     `seconds`
public record Deviation(String measure, double predicted, double actual) {
    /// What of the configuration decides what a run takes.
    private static final List<String> DECIDING = List.of("input", "engine", "prompt", "sampling", "cards");

    /// How much more than expected, as a share of what was expected: 0.1 is a tenth more; NaN if nothing was
    /// expected.
    public double share() {
        return predicted == 0 ? Double.NaN : actual / predicted - 1;
    }

    /// Compares what both tell. A run that was stopped and went on took as long as its starts together.
    ///
    /// @param forecast `forecast.json`
    /// @param manifest `run.json` of a finished run
    /// @param steps forward passes of all engines, where they were counted; null where not
    public static List<Deviation> of(JsonNode forecast, JsonNode manifest, @Nullable Long steps) {
        List<Deviation> deviations = new ArrayList<>();
        add(deviations, "rows", forecast, manifest.path("planned_rows"));
        add(deviations, "prompt_tokens", forecast, manifest.at("/tokens/prompt"));
        add(deviations, "cached_tokens", forecast, manifest.at("/tokens/cached"));
        add(deviations, "completion_tokens", forecast, manifest.at("/tokens/completion"));
        if (steps != null && forecast.path("steps").isNumber()) {
            deviations.add(new Deviation("steps", forecast.path("steps").asDouble(), steps));
        }
        Double seconds = seconds(manifest);
        if (seconds != null && forecast.path("seconds").isNumber()) {
            deviations.add(new Deviation("seconds", forecast.path("seconds").asDouble(), seconds));
        }
        return deviations;
    }

    /// Whether the forecast is of a run with the same settings, as far as they decide what it takes.
    public static boolean isOfSameSettings(JsonNode forecast, JsonNode manifest) {
        return DECIDING.stream()
                .allMatch(group -> forecast.at("/config/" + group).equals(manifest.at("/config/" + group)));
    }

    private static void add(List<Deviation> deviations, String measure, JsonNode forecast, JsonNode actual) {
        if (forecast.path(measure).isNumber() && actual.isNumber()) {
            deviations.add(new Deviation(measure, forecast.path(measure).asDouble(), actual.asDouble()));
        }
    }

    /// Null unless every start says when it ended.
    private static @Nullable Double seconds(JsonNode manifest) {
        double seconds = 0;
        for (JsonNode start : manifest.path("starts")) {
            if (!start.path("ended_at").isTextual()) {
                return null;
            }
            seconds += Duration.between(
                                    Instant.parse(start.path("started_at").asText()),
                                    Instant.parse(start.path("ended_at").asText()))
                            .toMillis()
                    / 1000.0;
        }
        return seconds == 0 ? null : seconds;
    }
}
