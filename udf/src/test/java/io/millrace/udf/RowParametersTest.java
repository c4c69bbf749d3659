package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowParametersTest {
    private static final SamplingRecipe RUN = new SamplingRecipe(0.5, 0.9, 40, 0.1, 64, List.of("x"), 7, 4, 1, 0.5, 2);
    private static final String TOOLS = "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"ls\"}}]";

    @Test
    void over_nothingSaid_isTheRuns() {
        assertThat(RowParameters.of(null).over(RUN)).isEqualTo(RUN);
        assertThat(RowParameters.of("{\"temperature\": null, \"model\": \"m\", \"user\": \"u\"}")
                        .over(RUN))
                .isEqualTo(RUN);
        assertThat(RowParameters.of("{}").samples(4)).isEqualTo(4);
        assertThat(RowParameters.of("{}").seed()).isNull();
        assertThat(RowParameters.of("{}").thinking(Thinking.THINK)).isEqualTo(Thinking.THINK);
    }

    @Test
    void over_everything_standsOverTheRuns() {
        RowParameters row = RowParameters.of("""
                {"temperature": 0, "top_p": 1, "top_k": 0, "min_p": 0, "max_tokens": 3, "max_completion_tokens": 5,
                 "stop": ["a", "b"], "seed": -3, "n": 2, "logprobs": true, "top_logprobs": 5}""");

        assertThat(row.over(RUN)).isEqualTo(new SamplingRecipe(0, 1, 0, 0, 5, List.of("a", "b"), 7, 4, 1, 0.5, 5));
        assertThat(row.samples(4)).isEqualTo(2);
        assertThat(row.seed()).isEqualTo(-3);
        assertThat(RowParameters.of("{\"logprobs\": false}").over(RUN).logprobs())
                .isEqualTo(-1);
        assertThat(RowParameters.of("{\"logprobs\": true}").over(RUN).logprobs())
                .isZero();
        assertThat(RowParameters.of("{\"logprobs\": 3}").over(RUN).logprobs()).isEqualTo(3);
        assertThat(RowParameters.of("{\"stop\": \"a\"}").over(RUN).stop()).containsExactly("a");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"reasoning_effort\": \"high\"} | THINK",
                "{\"reasoning_effort\": \"max\"} | MAX",
                "{\"reasoning_effort\": \"none\"} | CHAT",
                "{\"thinking\": {\"type\": \"enabled\"}} | THINK",
                "{\"thinking\": {\"type\": \"disabled\"}, \"reasoning_effort\": \"high\"} | CHAT",
                "{\"chat_template_kwargs\": {\"thinking\": true}} | THINK",
                "{\"chat_template_kwargs\": {\"thinking\": false}} | CHAT",
            })
    void thinking_asEachInterfaceSaysIt(String json, Thinking expected) {
        assertThat(RowParameters.of(json).thinking(Thinking.CHAT)).isEqualTo(expected);
    }

    @Test
    void schema_ofEachFormat() {
        assertThat(RowParameters.of("{\"response_format\": {\"type\": \"text\"}}")
                        .schema())
                .isNull();
        assertThat(RowParameters.of("{\"response_format\": {\"type\": \"json_object\"}}")
                        .schema())
                .isEqualTo("{\"type\":\"object\"}");
        assertThat(RowParameters.of("{\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"schema\":"
                                + " {\"type\": \"null\"}}}}")
                        .schema())
                .isEqualTo("{\"type\":\"null\"}");
    }

    @Test
    void tools_andWhetherOneHasToBeCalled() {
        assertThat(RowParameters.of("{}").tools()).isNull();
        assertThat(RowParameters.of("{" + TOOLS + ", \"tool_choice\": \"none\"}")
                        .tools())
                .isNull();
        assertThat(RowParameters.of("{" + TOOLS + "}").tools()).hasSize(1);
        assertThat(RowParameters.of("{" + TOOLS + "}").mustCall()).isFalse();
        RowParameters required = RowParameters.of("{" + TOOLS + ", \"tool_choice\": \"required\"}");
        assertThat(required.mustCall()).isTrue();
        assertThat(required.toolToCall()).isNull();
        RowParameters named = RowParameters.of(
                "{" + TOOLS + ", \"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"ls\"}}}");
        assertThat(named.toolToCall()).isEqualTo("ls");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"top_p\": 0} | parameters.top_p: expected a number in (0, 1], got 0",
                "{\"max_tokens\": 1.5} | parameters.max_tokens: expected a whole number from 1 to 2147483647, got 1.5",
                "{\"stop\": [\"\"]} | parameters.stop: expected a text that is not empty, or an array of those, got [\"\"]",
                "{\"top_logprobs\": 2} | parameters.top_logprobs: expected logprobs true beside it, got 2",
                "{\"logprobs\": true, \"top_logprobs\": 21} | parameters.top_logprobs: expected a whole number from 0 to"
                        + " 20, got 21",
                "{\"presence_penalty\": 0.5} | parameters.presence_penalty: expected 0",
                "{\"logit_bias\": {\"1\": 2}} | parameters.logit_bias: expected {}, which is all that can be done, got"
                        + " {\"1\":2}",
                "{\"no_such\": 1} | parameters.no_such: expected one of [",
                "{\"tools\": []} | parameters.tools: expected an array of tools, got []",
                "{\"tool_choice\": \"any\", \"tools\": [{}]} | parameters.tool_choice: expected auto, none, required, or"
                        + " a function by its name, got \"any\"",
                "{\"response_format\": {\"type\": \"xml\"}} | parameters.response_format: expected a type of text,"
                        + " json_object or json_schema, got {\"type\":\"xml\"}",
                "{\"thinking\": {\"type\": \"hard\"}} | parameters.thinking: expected {\"type\": \"enabled\"} or",
            })
    void fieldsThatCannotBe_sayWhatAndWhichAndWhatWasFound(String json, String message) {
        assertThatThrownBy(() -> {
                    RowParameters row = RowParameters.of(json);
                    row.over(RUN);
                    row.thinking(Thinking.CHAT);
                    row.schema();
                    row.mustCall();
                })
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }
}
