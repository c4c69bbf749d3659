package io.millrace.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.tokenizer.SharedFiles;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompletionParserTest {
    private static final String CALLS = "x\n\n<｜DSML｜tool_calls>\n";
    private static final String END = "</｜DSML｜tool_calls><｜end▁of▁sentence｜>";

    @TestFactory
    Stream<DynamicTest> parseCompletion_agreesWithTheOfficialParser() throws IOException {
        JsonNode cases = JsonMapper.builder().build().readTree(SharedFiles.resource("extra-cases.json"));
        return StreamSupport.stream(cases.get("parse").spliterator(), false)
                .map(golden -> DynamicTest.dynamicTest(golden.get("name").textValue(), () -> check(golden)));
    }

    private static void check(JsonNode golden) {
        String text = golden.get("text").textValue();
        ThinkingMode mode =
                ThinkingMode.valueOf(golden.get("thinking_mode").textValue().toUpperCase(Locale.ROOT));
        if (golden.has("error")) {
            assertThatThrownBy(() -> DeepSeekV4Chat.parseCompletion(text, mode))
                    .isInstanceOf(EngineException.class)
                    .hasMessageStartingWith("completion: expected ");
            return;
        }
        ChatMessage message = DeepSeekV4Chat.parseCompletion(text, mode);
        JsonNode result = golden.get("result");
        assertThat(message.role().key()).isEqualTo(result.get("role").textValue());
        assertThat(message.content()).isEqualTo(result.get("content").textValue());
        assertThat(message.reasoningContent())
                .isEqualTo(result.get("reasoning_content").textValue());
        List<String> calls = message.toolCalls().stream()
                .map(call -> call.name() + " " + call.arguments())
                .toList();
        assertThat(calls)
                .isEqualTo(StreamSupport.stream(result.get("tool_calls").spliterator(), false)
                        .map(call -> call.get("function").get("name").textValue() + " "
                                + call.get("function").get("arguments").textValue())
                        .toList());
    }

    @Test
    void parseCompletion_restoresWhatEncodeWrote() {
        List<ToolCall> calls = List.of(
                new ToolCall("", "f", "{\"a\": \"</x>\\n\\\"q\\\"\", \"b\": [1, 2.5, null], \"c d\": {}}"),
                new ToolCall("", "g", "{}"));
        ChatMessage message =
                new ChatMessage(ChatRole.ASSISTANT, "text", "why", List.of(), calls, "", null, null, false);
        String text = DeepSeekV4Chat.encode(
                        List.of(message), ChatOptions.of(ThinkingMode.THINKING).withoutBos())
                .render();
        assertThat(DeepSeekV4Chat.parseCompletion(text, ThinkingMode.THINKING)).isEqualTo(message);
    }

    @Test
    void parseCompletion_mayLackTheEndTokenBehindToolCalls() {
        String text = CALLS + "<｜DSML｜invoke name=\"f\">\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>";
        assertThat(DeepSeekV4Chat.parseCompletion(text, ThinkingMode.CHAT).toolCalls())
                .containsExactly(new ToolCall("", "f", "{}"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Hi<｜end▁of▁sentence｜>more",
                "<think>Hi<｜end▁of▁sentence｜>",
                "a｜DSML｜b<｜end▁of▁sentence｜>",
                CALLS,
                CALLS + END + "x",
                CALLS + "x" + END,
                CALLS + "<｜DSML｜invoke name=\"f\">\n" + END,
                CALLS + "<｜DSML｜invoke nam=\"f\">\n</｜DSML｜invoke>\n" + END,
                CALLS + "<｜DSML｜invoke name=\"f\">\n</｜DSML｜invoke>" + END,
                CALLS + "<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\">1</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
                        + END,
                CALLS + "<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\" string=\"true\">1",
                CALLS + "<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\" string=\"true\">1</｜DSML｜parameter>\n"
                        + "<｜DSML｜parameter name=\"a\" string=\"true\">1</｜DSML｜parameter>\n</｜DSML｜invoke>\n" + END,
            })
    void parseCompletion_whatDoesNotFollowTheFormat_isRefused(String text) {
        assertThatThrownBy(() -> DeepSeekV4Chat.parseCompletion(text, ThinkingMode.CHAT))
                .isInstanceOf(EngineException.class)
                .hasMessageStartingWith("completion: expected ");
    }
}
