package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class RougeTest {
    /// The arithmetic is the same divisions of the same counts, so only the last bits may differ.
    private static final Offset<Double> TOLERANCE = Offset.offset(1e-6);

    @Test
    void score_equalsGooglesPackage() throws IOException {
        JsonNode cases;
        try (InputStream in = Objects.requireNonNull(RougeTest.class.getResourceAsStream("rouge-cases.json"))) {
            cases = new ObjectMapper().readTree(in).get("cases");
        }

        assertThat(cases).hasSizeGreaterThanOrEqualTo(200);
        for (JsonNode expected : cases) {
            String name = expected.get("name").asText();
            Rouge.Scores scores = Rouge.score(
                    expected.get("reference").asText(),
                    expected.get("prediction").asText());
            assertThat(scores.rouge1()).as("rouge1 of " + name).isCloseTo(f1(expected, 0), TOLERANCE);
            assertThat(scores.rouge2()).as("rouge2 of " + name).isCloseTo(f1(expected, 1), TOLERANCE);
            assertThat(scores.rougeL()).as("rougeL of " + name).isCloseTo(f1(expected, 2), TOLERANCE);
        }
    }

    @Test
    void score_severalReferencesAndLines_equalGooglesPackage() {
        for (SummaryCase expected : SummaryCase.all()) {
            Rouge.Scores scores = Rouge.score(expected.references(), expected.prediction());
            assertThat(scores.rouge1())
                    .as(expected.toString())
                    .isCloseTo(expected.rouge().get(0), TOLERANCE);
            assertThat(scores.rouge2())
                    .as(expected.toString())
                    .isCloseTo(expected.rouge().get(1), TOLERANCE);
            assertThat(scores.rougeL())
                    .as(expected.toString())
                    .isCloseTo(expected.rouge().get(2), TOLERANCE);
            double lsum = expected.references().stream()
                    .mapToDouble(reference -> Rouge.lsum(reference, expected.prediction()))
                    .max()
                    .orElseThrow();
            assertThat(lsum).as(expected.toString()).isCloseTo(expected.rouge().get(3), TOLERANCE);
        }
    }

    private static double f1(JsonNode expected, int index) {
        return expected.get("f1").get(index).asDouble();
    }

    @Test
    void stem_equalsNltk() throws IOException {
        List<String> wrong = new ArrayList<>();
        try (InputStream in = Objects.requireNonNull(RougeTest.class.getResourceAsStream("porter-stems.tsv"))) {
            for (String line : new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                String[] pair = line.split("\t", -1);
                String stem = PorterStemmer.stem(pair[0]);
                if (!stem.equals(pair[1])) {
                    wrong.add(pair[0] + ": expected " + pair[1] + ", got " + stem);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void score_textWithoutLatinLetters_isZero() {
        assertThat(Rouge.score("这是一个总结", "这是一个总结")).isEqualTo(new Rouge.Scores(0, 0, 0));
    }
}
