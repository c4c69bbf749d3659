package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Logs, grades and signs against what the official harness makes of the same logs; `record.py` beside
/// `official.json` recorded it.
class OfficialRulesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Stream<JsonNode> recorded(String kind) throws IOException {
        try (InputStream in = OfficialRulesTest.class.getResourceAsStream("/swebench/official.json")) {
            JsonNode cases = JSON.readTree(Objects.requireNonNull(in)).get(kind);
            return StreamSupport.stream(cases.spliterator(), false);
        }
    }

    static Stream<JsonNode> parsers() throws IOException {
        return recorded("parsers");
    }

    static Stream<JsonNode> grades() throws IOException {
        return recorded("grades");
    }

    static Stream<JsonNode> signs() throws IOException {
        return recorded("signs");
    }

    @ParameterizedTest
    @MethodSource("parsers")
    void parse_recordedLog_sameTests(JsonNode recorded) {
        LogParser parser = LogParser.named(recorded.get("parser").asText());

        Map<String, String> tests = new LinkedHashMap<>();
        Objects.requireNonNull(parser)
                .parse(recorded.get("log").asText())
                .forEach((test, status) -> tests.put(test, status.name()));

        Map<String, String> expected = new LinkedHashMap<>();
        recorded.get("tests")
                .properties()
                .forEach(entry -> expected.put(entry.getKey(), entry.getValue().asText()));
        assertThat(tests).isNotEmpty().isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("grades")
    void instanceReport_recordedLog_sameReport(JsonNode recorded) {
        JsonNode row = JSON.createObjectNode()
                .put("instance_id", "i")
                .put("repo", "o/r")
                .put("base_commit", "c")
                .put("eval_type", recorded.get("eval_type").asText())
                .<ObjectNode>set("FAIL_TO_PASS", recorded.get("fail_to_pass"))
                .set("PASS_TO_PASS", recorded.get("pass_to_pass"));

        InstanceReport report =
                InstanceReport.of(Instance.of(row, "test"), recorded.get("log").asText(), PytestLog::plain);

        assertThat((JsonNode) report.toJson()).isEqualTo(recorded.get("report"));
    }

    @ParameterizedTest
    @MethodSource("signs")
    void failureSign_recordedLog_sameSign(JsonNode recorded) {
        Optional<FailureSign> sign = FailureSign.in(recorded.get("log").asText());

        JsonNode expected = recorded.get("sign");
        assertThat(sign.map(FailureSign::reason))
                .isEqualTo(
                        expected.isNull()
                                ? Optional.empty()
                                : Optional.of(expected.get(0).asText()));
        assertThat(sign.map(found -> found.environment() ? "environment" : "ambiguous"))
                .isEqualTo(
                        expected.isNull()
                                ? Optional.empty()
                                : Optional.of(expected.get(1).asText()));
    }
}
