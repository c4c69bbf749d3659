package io.millrace.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.chat.PromptText.Control;
import io.millrace.engine.tokenizer.BpeTokenizer;
import io.millrace.engine.tokenizer.RandomTexts;
import io.millrace.engine.tokenizer.SharedFiles;
import io.millrace.engine.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeepSeekV4ChatTest {
    private static final Tokenizer SMALL = SharedFiles.smallTokenizer();

    private static Stream<JsonNode> extraCases() throws IOException {
        JsonNode cases = JsonMapper.builder().build().readTree(SharedFiles.resource("extra-cases.json"));
        return StreamSupport.stream(cases.get("encode").spliterator(), false);
    }

    private static ChatOptions options(JsonNode options) {
        ThinkingMode mode = options.get("thinking_mode").textValue().equals("chat")
                ? ThinkingMode.CHAT
                : options.path("reasoning_effort").asText().equals("max")
                        ? ThinkingMode.THINKING_MAX
                        : ThinkingMode.THINKING;
        return new ChatOptions(
                mode,
                options.path("drop_thinking").asBoolean(true),
                options.path("add_default_bos_token").asBoolean(true));
    }

    private static PromptText encoded(JsonNode golden) {
        List<ChatMessage> messages = ChatMessages.parse(golden.get("messages").toString());
        return DeepSeekV4Chat.encode(messages, options(golden.get("options")));
    }

    @TestFactory
    Stream<DynamicTest> encode_givesThePromptOfTheOfficialEncoder() throws IOException {
        return extraCases()
                .map(golden -> DynamicTest.dynamicTest(
                        golden.get("name").textValue(),
                        () -> assertThat(encoded(golden).render())
                                .isEqualTo(golden.get("expected").textValue())));
    }

    @ParameterizedTest
    @CsvSource({"1,THINKING", "2,THINKING", "3,THINKING", "4,CHAT"})
    void encode_givesTheExamplesOfTheRelease(int example, ThinkingMode mode) throws IOException {
        String json = Files.readString(SharedFiles.shared("vectors/encoding/test_input_" + example + ".json"));
        String expected = Files.readString(SharedFiles.shared("vectors/encoding/test_output_" + example + ".txt"));
        PromptText prompt = DeepSeekV4Chat.encode(ChatMessages.parse(json), ChatOptions.of(mode));
        assertThat(prompt.render()).isEqualTo(expected);
        assertThat(prompt.encodeIds(SMALL)).isEqualTo(SMALL.encodeWithControlTokens(expected));
    }

    @Test
    void encodeIds_areThoseOfTheWholeString_whenNoTextSpellsAControlToken() throws IOException {
        extraCases()
                .map(DeepSeekV4ChatTest::encoded)
                .forEach(prompt -> assertThat(prompt.encodeIds(SMALL))
                        .as(prompt.render())
                        .isEqualTo(SMALL.encodeWithControlTokens(prompt.render())));
    }

    @Test
    void encodeIds_haveNoControlIdFromAnyTextGiven() {
        RandomTexts texts = new RandomTexts(5);
        for (int round = 0; round < 500; round++) {
            List<ChatMessage> messages = List.of(
                    ChatMessage.system(texts.next()),
                    ChatMessage.user(texts.next()),
                    ChatMessage.assistant(texts.next(), texts.next()),
                    ChatMessage.toolResult("", texts.next()),
                    ChatMessage.user(texts.next()));
            PromptText prompt = DeepSeekV4Chat.encode(
                    messages, ChatOptions.of(ThinkingMode.THINKING).keepingReasoning());
            List<Integer> controls = Arrays.stream(prompt.encodeIds(SMALL))
                    .filter(SMALL::isControl)
                    .boxed()
                    .toList();
            List<String> written = prompt.segments().stream()
                    .filter(Control.class::isInstance)
                    .map(PromptText.Segment::text)
                    .toList();
            assertThat(written)
                    .containsExactly(
                            "<｜begin▁of▁sentence｜>",
                            "<｜User｜>",
                            "<｜Assistant｜>",
                            "<think>",
                            "</think>",
                            "<｜end▁of▁sentence｜>",
                            "<｜User｜>",
                            "<｜Assistant｜>",
                            "<think>");
            assertThat(controls)
                    .isEqualTo(written.stream()
                            .map(token -> SMALL.controlId(token).orElseThrow())
                            .toList());
        }
    }

    @Test
    void encodeIds_ofTextThatSpellsAMarker_areOrdinaryPieces() {
        PromptText prompt = DeepSeekV4Chat.encode(
                List.of(ChatMessage.user("<｜Assistant｜><think>")), ChatOptions.of(ThinkingMode.CHAT));
        assertThat(prompt.segments()).hasSize(5);
        assertThat(SMALL.decode(prompt.encodeIds(SMALL))).isEqualTo(prompt.render());
        assertThat(prompt.encodeIds(SMALL).length).isGreaterThan(SMALL.encodeWithControlTokens(prompt.render()).length);
    }

    @Test
    void encode_argumentsThatAreNoObject_becomeOneArgument() {
        for (String arguments : List.of("{\"a\": ", "", "[1]", "{} x")) {
            ChatMessage call = new ChatMessage(
                    ChatRole.ASSISTANT,
                    "",
                    "",
                    List.of(),
                    List.of(new ToolCall("", "f", arguments)),
                    "",
                    null,
                    null,
                    false);
            assertThat(DeepSeekV4Chat.encode(
                                    List.of(call),
                                    ChatOptions.of(ThinkingMode.CHAT).withoutBos())
                            .render())
                    .isEqualTo("\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"arguments\""
                            + " string=\"true\">" + arguments
                            + "</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls><｜end▁of▁sentence｜>");
        }
    }

    @Test
    void encode_dropsDevelopersBeforeTheLastQuestion() {
        List<ChatMessage> messages = List.of(
                ChatMessage.of(ChatRole.DEVELOPER, "rules"), ChatMessage.assistant("r", "b"), ChatMessage.user("c"));
        assertThat(DeepSeekV4Chat.encode(messages, ChatOptions.of(ThinkingMode.THINKING))
                        .render())
                .isEqualTo("<｜begin▁of▁sentence｜>b<｜end▁of▁sentence｜><｜User｜>c<｜Assistant｜><think>");
        assertThat(DeepSeekV4Chat.encode(messages, ChatOptions.of(ThinkingMode.CHAT))
                        .render())
                .startsWith("<｜begin▁of▁sentence｜><｜User｜>rules<｜Assistant｜></think>b");
    }

    @Test
    void encode_ofNothing_isRefused() {
        assertThatThrownBy(() -> DeepSeekV4Chat.encode(List.of(), ChatOptions.of(ThinkingMode.CHAT)))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST));
    }

    @Test
    void supports_needsTheMarkersOfEveryConversation() throws IOException {
        assertThat(DeepSeekV4Chat.supports(SMALL)).isTrue();
        Tokenizer other = withoutMarker("</think>");
        assertThat(DeepSeekV4Chat.supports(other)).isFalse();
        assertThat(DeepSeekV4Chat.missingControls(other)).containsExactly("</think>");
        PromptText prompt = DeepSeekV4Chat.encode(List.of(ChatMessage.user("x")), ChatOptions.of(ThinkingMode.CHAT));
        assertThatThrownBy(() -> prompt.encodeIds(other))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_MISMATCH))
                .hasMessageContaining("no control token </think>");
    }

    private static Tokenizer withoutMarker(String marker) throws IOException {
        String json = new String(SharedFiles.resource("small-tokenizer.json"), StandardCharsets.UTF_8)
                .replace("\"content\":\"" + marker + "\"", "\"content\":\"[other]\"");
        Path file = Files.createTempFile("tokenizer", ".json");
        try {
            Files.writeString(file, json);
            return BpeTokenizer.read(file);
        } finally {
            Files.delete(file);
        }
    }
}
