package io.millrace.jobs.evaluate.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.evaluate.python.PythonLiteral;
import io.millrace.jobs.evaluate.python.PythonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Against what Jinja2 made of the same templates, recorded by the script beside the resource.
class TemplateTest {

    private static JsonNode recorded() throws IOException {
        return new ObjectMapper()
                .readTree(Files.readString(Path.of("src/test/resources/evaluate/expected/templates.json")));
    }

    private static Map<String, @Nullable Object> document(JsonNode node) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        node.properties()
                .forEach(field -> document.put(
                        field.getKey(),
                        PythonLiteral.parse(field.getValue()
                                .toString()
                                .replace("null", "None")
                                .replace("true", "True"))));
        return document;
    }

    @Test
    void render_asJinja() throws IOException {
        JsonNode recorded = recorded();
        Map<String, @Nullable Object> document = document(recorded.path("doc"));
        assertThat(PythonText.repr(document.get("f"))).isEqualTo("1e-05");
        for (JsonNode entry : recorded.path("cases")) {
            String template = entry.path("template").textValue();
            if (entry.has("text")) {
                assertThat(Template.parse(template).render(document))
                        .as(template)
                        .isEqualTo(entry.path("text").textValue());
            } else {
                assertThatThrownBy(() -> Template.parse(template).render(document))
                        .as(template)
                        .isInstanceOf(TemplateException.class);
            }
        }
    }

    @Test
    void render_nameThatIsNotThere_isAnError() {
        assertThatThrownBy(() -> Template.parse("{{nope}}").render(Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessage("'nope' is undefined");
    }

    @Test
    void parse_whatIsNotThere_isNamed() {
        assertThatThrownBy(() -> Template.parse("{% macro x() %}{% endmacro %}"))
                .hasMessageContaining("no statement")
                .hasMessageContaining("macro");
        assertThatThrownBy(() -> Template.parse("{{ 'a' | upperr }}").render(Map.of()))
                .hasMessage("no filter: 'upperr'");
        assertThatThrownBy(() -> Template.parse("{% for x in y %}")).hasMessageContaining("endfor");
    }
}
