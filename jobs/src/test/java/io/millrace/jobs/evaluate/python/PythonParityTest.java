package io.millrace.jobs.evaluate.python;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Against what Python itself said, recorded by the scripts beside the resources.
class PythonParityTest {

    private static JsonNode recorded(String name) throws IOException {
        return new ObjectMapper()
                .readTree(Files.readString(Path.of("src/test/resources/evaluate/expected", name + ".json")));
    }

    private static @Nullable Object value(JsonNode node) {
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            node.forEach(item -> list.add(value(item)));
            return list;
        }
        if (node.isObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            node.properties().forEach(field -> map.put(field.getKey(), value(field.getValue())));
            return map;
        }
        if (node.isNull()) {
            return null;
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        return node.isTextual()
                ? node.textValue()
                : node.isIntegralNumber() ? node.longValue() : (Object) node.doubleValue();
    }

    @Test
    void values_asPythonSpellsThem() throws IOException {
        for (JsonNode entry : recorded("values")) {
            Object value = value(entry.path("value"));
            assertThat(PythonText.repr(value)).isEqualTo(entry.path("repr").textValue());
            assertThat(PythonJson.compact(value)).isEqualTo(entry.path("json").textValue());
            assertThat(PythonJson.pretty(value)).isEqualTo(entry.path("pretty").textValue());
            assertThat(PythonLiteral.parse(PythonText.repr(value))).isEqualTo(value);
        }
    }

    @Test
    void regexes_findAndReplaceAsPython() throws IOException {
        for (JsonNode entry : recorded("regexes")) {
            PythonRegex regex = PythonRegex.compile(entry.path("regex").textValue());
            String text = entry.path("text").textValue();
            assertThat(regex.findAll(text)).as(entry.path("regex").textValue()).isEqualTo(value(entry.path("all")));
            assertThat(regex.replaceAll(text, ""))
                    .as(entry.path("regex").textValue())
                    .isEqualTo(entry.path("removed").textValue());
        }
    }

    @Test
    void random_drawsWhatPythonDraws() throws IOException {
        JsonNode cases = recorded("random");
        assertThat(cases).hasSize(40);
        for (JsonNode entry : cases) {
            PythonRandom random = new PythonRandom(entry.path("seed").longValue());
            for (JsonNode sample : entry.path("samples")) {
                assertThat(random.sample(
                                entry.path("population").intValue(),
                                entry.path("count").intValue()))
                        .isEqualTo(new ObjectMapper().convertValue(sample, List.class));
            }
            assertThat(random.nextDouble()).isEqualTo(entry.path("random").doubleValue());
        }
    }

    @Test
    void literal_noLiteral_saysWhatWasExpected() {
        assertThatThrownBy(() -> PythonLiteral.parse("[1, ")).hasMessageContaining("expected more at character 3");
        assertThatThrownBy(() -> PythonLiteral.parse("open('x')")).hasMessageContaining("expected a literal");
        assertThat(PythonLiteral.parse("('a',)")).isEqualTo(List.of("a"));
        assertThat(PythonLiteral.parse("('a')")).isEqualTo("a");
    }
}
