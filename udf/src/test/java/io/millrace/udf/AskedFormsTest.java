package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AskedFormsTest {
    private static final String SCHEMA =
            "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\", \"minimum\": 3}}, \"required\": [\"a\"]}";

    private final AskedForms forms = new AskedForms();

    private @Nullable String fault(String answer, @Nullable String schema) {
        return forms.fault(answer, new Reading(true, Thinking.CHAT, "", schema));
    }

    @Test
    void fault_answerOfTheForm_isNone() {
        assertThat(fault("{\"a\": 3}", SCHEMA)).isNull();
        assertThat(fault("no JSON", null)).isNull();
    }

    @Test
    void fault_otherAnswers_saysWhatIsWrong() {
        assertThat(fault("{\"a\": 2}", SCHEMA)).startsWith("response_format: ").contains("minimum");
        assertThat(fault("{\"a\": ", SCHEMA)).startsWith("response_format: expected a JSON value, got Unexpected end");
        assertThat(fault("{\"a\": 3} and more", SCHEMA)).startsWith("response_format: expected a JSON value");
        assertThat(fault("", SCHEMA)).isEqualTo("response_format: expected a JSON value, got nothing");
    }

    @Test
    void fault_schemaElsewhere_isNotFetched() {
        assertThat(fault("1", "{\"$ref\": \"http://127.0.0.1:1/schema.json\"}"))
                .startsWith("response_format: expected a schema that can be checked");
    }
}
