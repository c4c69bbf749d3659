package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;

/// A summary with the scores that Google's ROUGE and sacreBLEU give it.
///
/// @param rouge F1 of ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum, each of the best reference
record SummaryCase(List<String> references, String prediction, List<Double> rouge, double chrf) {

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Cases(List<SummaryCase> cases) {}

    static List<SummaryCase> all() {
        try (InputStream in = Objects.requireNonNull(SummaryCase.class.getResourceAsStream("summary-cases.json"))) {
            List<SummaryCase> cases = new ObjectMapper()
                    .readValue(in, new TypeReference<Cases>() {})
                    .cases();
            assertThat(cases).hasSizeGreaterThan(200);
            return cases;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
