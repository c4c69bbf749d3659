package io.millrace.jobs.langchain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.batch.BatchItemResult;
import dev.langchain4j.model.batch.BatchPagination;
import dev.langchain4j.model.batch.BatchRequest;
import dev.langchain4j.model.batch.BatchResponse;
import dev.langchain4j.model.batch.BatchState;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import io.millrace.jobs.JavaProcesses;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// LangChain4j's own types in and out, the bundled model between them in a process of its own.
class MillraceBatchChatModelIT {
    private static final JsonObjectSchema KIND = JsonObjectSchema.builder()
            .addEnumProperty("kind", List.of("library", "game"))
            .required("kind")
            .build();

    @TempDir
    private Path dir = Path.of("");

    private static ChatRequest.Builder asking(String text) {
        return ChatRequest.builder().messages(UserMessage.from(text));
    }

    private static ResponseFormat form() {
        return ResponseFormat.builder()
                .type(ResponseFormatType.JSON)
                .jsonSchema(JsonSchema.builder().name("kind").rootElement(KIND).build())
                .build();
    }

    @Test
    void batch_submittedAndRetrieved() throws IOException, InterruptedException {
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            List<String> command = new ArrayList<>(List.of("env", "SPARK_LOCAL_IP=127.0.0.1"));
            command.addAll(processes.millrace(
                    List.of(), List.of("batch", "--no-gate", "--master", "local[2]", "--max-tokens", "8")));
            MillraceBatchChatModel model = new MillraceBatchChatModel(dir.resolve("batches"), command);

            BatchResponse<ChatResponse> submitted = model.submit(new BatchRequest<>(List.of(
                    asking("This package contains a small library.").build(),
                    asking("A small game.")
                            .responseFormat(form())
                            .maxOutputTokens(64)
                            .build(),
                    asking("x").temperature(-1.0).build())));
            assertThat(submitted.state()).isEqualTo(BatchState.RUNNING);
            String id = submitted.batchId();
            // another object knows what the first has written
            MillraceBatchChatModel other = new MillraceBatchChatModel(dir.resolve("batches"), command);
            JavaProcesses.await(() -> other.retrieve(id).state().isTerminal(), () -> "the batch ends");

            BatchResponse<ChatResponse> ended = other.retrieve(id);
            assertThat(ended.state()).as(() -> String.valueOf(ended)).isEqualTo(BatchState.SUCCEEDED);
            List<BatchItemResult<ChatResponse>> results = ended.results();
            assertThat(results.stream().map(BatchItemResult::isSuccess)).containsExactly(true, true, false);
            ChatResponse first = results.get(0).response();
            assertThat(first.aiMessage().text()).isNotBlank();
            assertThat(first.tokenUsage().outputTokenCount()).isBetween(1, 8);
            assertThat(first.finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
            assertThat(results.get(1).response().aiMessage().text())
                    .containsPattern("\"kind\"\\s*:\\s*\"(library|game)\"");
            assertThat(results.get(2).error().code()).isEqualTo(400);
            assertThat(results.get(2).error().message()).contains("temperature");
            assertThat(other.list(new BatchPagination(1, null)).batches())
                    .extracting(BatchResponse::batchId)
                    .containsExactly(id);
            assertThat(other.list(null).nextPageToken()).isNull();
        }
    }

    @Test
    void batch_cancelledOrFailed_saysSo() {
        Path batches = dir.resolve("batches");
        MillraceBatchChatModel sleeping = new MillraceBatchChatModel(batches, List.of("sh", "-c", "sleep 600"));
        BatchRequest<ChatRequest> request =
                new BatchRequest<>(List.of(asking("x").build()));

        String cancelled = sleeping.submit(request).batchId();
        assertThat(sleeping.retrieve(cancelled).state()).isEqualTo(BatchState.RUNNING);
        sleeping.cancel(cancelled);
        JavaProcesses.await(() -> sleeping.retrieve(cancelled).state().isTerminal(), () -> "it is cancelled");
        assertThat(sleeping.retrieve(cancelled).state()).isEqualTo(BatchState.CANCELLED);

        MillraceBatchChatModel failing =
                new MillraceBatchChatModel(batches, List.of("sh", "-c", "echo no model; exit 1"));
        failing.resume(cancelled);
        JavaProcesses.await(() -> failing.retrieve(cancelled).state().isTerminal(), () -> "it fails");
        BatchResponse<ChatResponse> failed = failing.retrieve(cancelled);
        assertThat(failed.state()).isEqualTo(BatchState.FAILED);
        assertThat(failed.results()).hasSize(1);
        assertThat(failed.results().getFirst().error().message()).isEqualTo("no model");
        assertThatThrownBy(() -> failing.retrieve("../batches")).hasMessageContaining("expected one in");
    }

    @Test
    void body_saysWhatTheRequestSays() {
        ChatRequest request = ChatRequest.builder()
                .messages(
                        SystemMessage.from("Be short."),
                        UserMessage.from("What kind?"),
                        AiMessage.from(ToolExecutionRequest.builder()
                                .id("c1")
                                .name("look")
                                .arguments("{\"at\":1}")
                                .build()),
                        ToolExecutionResultMessage.from("c1", "look", "a game"))
                .temperature(0.5)
                .topP(0.9)
                .topK(7)
                .maxOutputTokens(5)
                .stopSequences(List.of("END"))
                .responseFormat(form())
                .toolSpecifications(ToolSpecification.builder()
                        .name("look")
                        .description("Looks.")
                        .parameters(KIND)
                        .build())
                .toolChoice(ToolChoice.REQUIRED)
                .build();

        JsonNode body = ChatBody.of(request);

        String schema =
                "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":[\"library\",\"game\"]}},"
                        + "\"required\":[\"kind\"]";
        assertThat(body.toString())
                .isEqualTo("{\"temperature\":0.5,\"top_p\":0.9,\"top_k\":7,\"max_tokens\":5,\"messages\":["
                        + "{\"role\":\"system\",\"content\":\"Be short.\"},{\"role\":\"user\",\"content\":\"What kind?\"},"
                        + "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"look\",\"arguments\":\"{\\\"at\\\":1}\"}}]},"
                        + "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"a game\"}],\"stop\":[\"END\"],"
                        + "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"kind\",\"schema\":"
                        + schema
                        + ",\"additionalProperties\":false}}},\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look\","
                        + "\"description\":\"Looks.\",\"parameters\":" + schema + "}}}],\"tool_choice\":\"required\"}");
    }

    @Test
    void body_whatCannotBeSaid_isRefused() {
        assertThatThrownBy(() -> ChatBody.of(asking("x").frequencyPenalty(0.5).build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("frequencyPenalty");
        assertThatThrownBy(() -> ChatBody.of(ChatRequest.builder()
                        .messages(UserMessage.from(ImageContent.from("http://localhost/a.png")))
                        .build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("IMAGE");
    }
}
