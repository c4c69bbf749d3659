package io.millrace.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatMessagesTest {

    @Test
    void parse_joinsTheTextsOfParts() {
        assertThat(ChatMessages.parse("""
                        [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]""")).containsExactly(ChatMessage.user("a\n\nb"));
    }

    @Test
    void parse_ofARequest_givesItsToolsToTheFirstMessage() {
        List<ChatMessage> messages = ChatMessages.parse("""
                {"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function", "function": {"name": "f"}}]}""");
        assertThat(messages).extracting(ChatMessage::role).containsExactly(ChatRole.SYSTEM, ChatRole.USER);
        assertThat(messages.getFirst().tools()).hasSize(1);
    }

    @Test
    void parse_takesArgumentsAsTextAndAsObject() {
        List<ChatMessage> messages = ChatMessages.parse("""
                [{"role": "assistant", "content": null, "tool_calls": [
                  {"id": "1", "function": {"name": "f", "arguments": {"x": [1.0, "é"]}}},
                  {"function": {"name": "g", "arguments": "{\\"x\\":1}"}}]}]""");
        assertThat(messages.getFirst().toolCalls())
                .containsExactly(new ToolCall("1", "f", "{\"x\": [1.0, \"é\"]}"), new ToolCall("", "g", "{\"x\":1}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "[{\"role\": \"usr\", \"content\": \"a\"}];messages[0].role: expected a role this model knows, got \"usr\"",
                "[{\"content\": \"a\"}];messages[0].role: expected a role this model knows, got nothing",
                "[1];messages[0]: expected an object, got 1",
                "[];messages: expected an array of at least one message, got []",
                "{\"a\": 1};messages: expected an array of at least one message, got nothing",
                "[{\"role\": \"user\", \"content\": 5}];messages[0].content: expected a string, got 5",
                "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}];messages[0].content[0]: expected a part of type"
                        + " text, got \"image_url\"",
                "[{\"role\": \"user\", \"task\": \"sing\"}];messages[0].task: expected a task this model knows, got \"sing\"",
                "[{\"role\": \"user\", \"tools\": [{\"function\": {}}]}];messages[0]: tools: not expected in a message of role user",
                "[{\"role\": \"system\", \"tools\": [{}]}];messages[0].tools[0].function: expected an object, got nothing",
                "[{\"role\": \"developer\"}];messages[0]: a developer message needs a content, got none",
                "[{\"role\": \"user\", \"wo_eos\": 1}];messages[0].wo_eos: expected true or false, got 1",
                "[{\"role\": ;messages: not JSON at line 1, column ",
                "``;messages: expected an array of at least one message, got nothing",
            })
    void parse_whatIsNoConversation_isRefusedWithItsPlace(String json, String message) {
        assertThatThrownBy(() -> ChatMessages.parse(json))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageStartingWith(message);
    }
}
