package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviationTest {
    private static final String FORECAST = """
            {"version": 1, "rows": 10, "prompt_tokens": 1000, "cached_tokens": 0, "completion_tokens": 200,
             "steps": 50, "seconds": 20.0, "config": {"sampling": {"beams": 4}, "output": {"dir": "a"}}}
            """;
    private static final String MANIFEST = """
            {"planned_rows": 10, "tokens": {"prompt": 1000, "cached": 16, "completion": 220},
             "config": {"sampling": {"beams": 4}, "output": {"dir": "b"}},
             "starts": [
               {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:10.500Z"},
               {"started_at": "2026-01-01T05:00:00Z", "ended_at": "2026-01-01T05:00:11.500Z"}]}
            """;

    private static JsonNode json(String text) throws JsonProcessingException {
        return new ObjectMapper().readTree(text);
    }

    @Test
    void startsTogether() throws JsonProcessingException {
        List<Deviation> deviations = Deviation.of(json(FORECAST), json(MANIFEST), 55L);
        assertThat(deviations)
                .containsExactly(
                        new Deviation("rows", 10, 10),
                        new Deviation("prompt_tokens", 1000, 1000),
                        new Deviation("cached_tokens", 0, 16),
                        new Deviation("completion_tokens", 200, 220),
                        new Deviation("steps", 50, 55),
                        new Deviation("seconds", 20, 22));
        assertThat(deviations.getLast().share()).isCloseTo(0.1, within(1e-12));
        assertThat(deviations.get(2).share()).isNaN();
    }

    @Test
    void whatIsNotKnown_isNotCompared() throws JsonProcessingException {
        String open = MANIFEST.replace("\"2026-01-01T05:00:11.500Z\"", "null");
        assertThat(Deviation.of(json(FORECAST.replace("50,", "null,")), json(open), 55L))
                .extracting(Deviation::measure)
                .containsExactly("rows", "prompt_tokens", "cached_tokens", "completion_tokens");
    }

    @Test
    void settingsThatDecide_areCompared() throws JsonProcessingException {
        assertThat(Deviation.isOfSameSettings(json(FORECAST), json(MANIFEST))).isTrue();
        assertThat(Deviation.isOfSameSettings(json(FORECAST), json(MANIFEST.replace("\"beams\": 4", "\"beams\": 1"))))
                .isFalse();
    }
}
