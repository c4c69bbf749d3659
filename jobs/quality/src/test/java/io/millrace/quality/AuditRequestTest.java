package io.millrace.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class AuditRequestTest {

    private static final Path VERDICT = Path.of("verdict.json");
    private static final Path METRICS = Path.of("metrics.json");

    @Test
    void parse_fullRequest_readsEveryKey() {
        AuditRequest request = AuditRequest.parse("request.json", """
                {"output": ["/data/a", "/data/b"], "rules": "/r.yaml", "expected_rows": 12,
                 "expected_rows_by_file": {"x": 5, "y": 7}, "input": ["/in"], "samples": 2, "verdict": "/v.json", "metrics": "/m.json",
                 "metrics_repository": "/repo.json", "started_at_ms": 17, "quarantine": "/q", "tags": {"run": "1"}}""", VERDICT, METRICS);

        assertThat(request)
                .isEqualTo(new AuditRequest(
                        List.of("/data/a", "/data/b"),
                        Path.of("/r.yaml"),
                        OptionalLong.of(12),
                        Map.of("x", 5L, "y", 7L),
                        List.of("/in"),
                        2,
                        Path.of("/v.json"),
                        Path.of("/m.json"),
                        new AuditRequest.History("/repo.json", OptionalLong.of(17)),
                        "/q",
                        Map.of("run", "1")));
    }

    @Test
    void parse_smallRequest_takesDefaults() {
        AuditRequest request =
                AuditRequest.parse("request.json", "{\"output\": [\"/a\"], \"expected_rows\": 0}", VERDICT, METRICS);

        assertThat(request.rules()).isNull();
        assertThat(request.verdict()).isEqualTo(VERDICT);
        assertThat(request.metrics()).isEqualTo(METRICS);
        assertThat(request.expectedRowsByFile()).isEmpty();
        assertThat(request.input()).isEmpty();
        assertThat(request.samples()).isEqualTo(1);
    }

    @Test
    void parse_manyProblems_reportsAll() {
        assertThatThrownBy(() -> AuditRequest.parse("request.json", """
                        {"output": [], "expected_rows": -1, "expected_rows_by_file": {"x": "five"},
                         "rules": 3, "tags": ["a"], "verdikt": "/v"}""", VERDICT, METRICS))
                .isInstanceOf(AuditException.class)
                .hasMessageStartingWith("request.json: 6 problem(s)")
                .hasMessageContaining("output: expected an array of at least one path, got []")
                .hasMessageContaining("expected_rows: expected an integer from 0, got -1")
                .hasMessageContaining("expected_rows_by_file.x: expected an integer from 0, got \"five\"")
                .hasMessageContaining("rules: expected a text, got 3")
                .hasMessageContaining("tags: expected an object, got [\"a\"]")
                .hasMessageContaining("verdikt: unknown key");
    }

    @Test
    void parse_missingRowCount_isAProblem() {
        assertThatThrownBy(() -> AuditRequest.parse("request.json", "{\"output\": [\"/a\"]}", VERDICT, METRICS))
                .hasMessageContaining("expected_rows: expected an integer from 0, got nothing");
    }

    @Test
    void parse_noJson_saysSo() {
        assertThatThrownBy(() -> AuditRequest.parse("request.json", "output: /a", VERDICT, METRICS))
                .isInstanceOf(AuditException.class)
                .hasMessageStartingWith("request.json: no JSON: ");
    }

    @Test
    void verdictOf_unusableRequest_keepsItsWishAsFarAsItGoes() {
        assertThat(AuditRequest.verdictOf("{\"verdict\": \"/v.json\", \"x\": 1}", VERDICT))
                .isEqualTo(Path.of("/v.json"));
        assertThat(AuditRequest.verdictOf("{\"verdict\": 3}", VERDICT)).isEqualTo(VERDICT);
        assertThat(AuditRequest.verdictOf("not json", VERDICT)).isEqualTo(VERDICT);
    }
}
