package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class PromptTemplateTest {

    @Test
    void render_placeholdersAndBraces_areFilledIn() {
        PromptTemplate template = PromptTemplate.parse("In {lang}: {{ {text} }} ({lang})");

        assertThat(template.columns()).containsExactly("lang");
        assertThat(template.textUses()).isEqualTo(1);
        assertThat(template.render("T {lang}", Map.of("lang", "en")::get)).isEqualTo("In en: { T {lang} } (en)");
    }

    @Test
    void parse_looseBraces_areRefusedWithTheirPlace() {
        assertThatThrownBy(() -> PromptTemplate.parse("a {text"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("prompt.template: { at character 2 is not closed");
        assertThatThrownBy(() -> PromptTemplate.parse("a } b"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("single } at character 2");
        assertThatThrownBy(() -> PromptTemplate.parse("{ }"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got { }");
    }
}
