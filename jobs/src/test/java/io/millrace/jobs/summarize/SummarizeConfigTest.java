package io.millrace.jobs.summarize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.Settings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SummarizeConfigTest {
    private static final MillraceHome HOME = new MillraceHome(Path.of("/checkout"), Path.of("/work"));

    private static SummarizeConfig.Resolved resolve(String... keysAndValues) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (int at = 0; at < keysAndValues.length; at += 2) {
            values.put(keysAndValues[at], List.of(keysAndValues[at + 1]));
        }
        return SummarizeConfig.resolve(HOME, List.of(new Settings("test", values)));
    }

    @Test
    void resolve_nothingGiven_isOnePass() {
        assertThat(resolve().summarize())
                .isEqualTo(new SummarizeConfig(
                        Strategy.SINGLE, 0, 0, 0, FailedChunks.FAIL, null, "{summary}\n\n{text}", false, 1));
    }

    @Test
    void resolve_everyKey_isMappedAndWrittenBack() {
        String[] given = {
            "summarize.strategy", "map-reduce",
            "summarize.chunk-tokens", "50",
            "summarize.overlap-tokens", "7",
            "summarize.carry-tokens", "9",
            "summarize.failed-chunks", "leave-out",
            "summarize.combine-template", "Sum up: {text} {lang}",
            "summarize.continue-template", "{summary} | {text}",
            "summarize.metrics", "true",
            "summarize.lead-sentences", "3"
        };
        SummarizeConfig config = resolve(given).summarize();

        assertThat(config)
                .isEqualTo(new SummarizeConfig(
                        Strategy.MAP_REDUCE,
                        50,
                        7,
                        9,
                        FailedChunks.LEAVE_OUT,
                        "Sum up: {text} {lang}",
                        "{summary} | {text}",
                        true,
                        3));
        Map<String, Object> keys = config.keys();
        assertThat(keys).hasSize(SummarizeConfig.defaults().size());
        for (int at = 0; at < given.length; at += 2) {
            assertThat(keys.get(given[at].substring("summarize.".length()))).hasToString(given[at + 1]);
        }
        assertThat(config.columns(resolve().job().prompt())).containsExactly("lang");
    }

    @Test
    void resolve_whatIsWrongWithEither_isSaidAtOnce() {
        assertThatThrownBy(() -> resolve(
                        "summarize.strategy", "magic",
                        "summarize.chunk-tokens", "5",
                        "summarize.overlap-tokens", "5",
                        "summarize.combine-template", "no text",
                        "summarize.continue-template", "{text}",
                        "summarize.nonsense", "1",
                        "sampling.top-p", "7"))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        wrong -> assertThat(wrong.problems())
                                .hasSize(6)
                                .anyMatch(line -> line.startsWith("summarize.strategy: expected one of"))
                                .anyMatch(line -> line.startsWith("summarize.overlap-tokens: expected less than"))
                                .anyMatch(line ->
                                        line.startsWith("summarize.combine-template: expected {text}, got no text"))
                                .anyMatch(line ->
                                        line.startsWith("summarize.continue-template: expected {text} and {summary}"))
                                .anyMatch(line -> line.startsWith("summarize.nonsense: no such key"))
                                .anyMatch(line -> line.startsWith("sampling.top-p")));
    }
}
