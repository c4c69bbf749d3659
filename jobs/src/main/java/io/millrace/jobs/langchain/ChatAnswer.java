package io.millrace.jobs.langchain;

import com.fasterxml.jackson.databind.JsonNode;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.batch.BatchError;
import dev.langchain4j.model.batch.BatchItemResult;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import java.util.ArrayList;
import java.util.List;

/// What came of a request, from its line in OpenAI's files of answers and errors.
final class ChatAnswer {

    private ChatAnswer() {}

    static BatchItemResult<ChatResponse> of(JsonNode line) {
        JsonNode response = line.path("response");
        int status = response.path("status_code").asInt();
        JsonNode body = response.path("body");
        return status == 200
                ? BatchItemResult.success(response(body))
                : failed(status, body.path("error").path("message").asText());
    }

    static BatchItemResult<ChatResponse> failed(int status, String message) {
        return BatchItemResult.failure(new BatchError(status, message, List.of()));
    }

    private static ChatResponse response(JsonNode body) {
        JsonNode choice = body.path("choices").path(0);
        JsonNode usage = body.path("usage");
        return ChatResponse.builder()
                .id(body.path("id").asText())
                .modelName(body.path("model").asText())
                .aiMessage(message(choice.path("message")))
                .tokenUsage(new TokenUsage(
                        usage.path("prompt_tokens").asInt(),
                        usage.path("completion_tokens").asInt(),
                        usage.path("total_tokens").asInt()))
                .finishReason(
                        switch (choice.path("finish_reason").asText()) {
                            case "stop" -> FinishReason.STOP;
                            case "length" -> FinishReason.LENGTH;
                            case "tool_calls" -> FinishReason.TOOL_EXECUTION;
                            default -> FinishReason.OTHER;
                        })
                .build();
    }

    private static AiMessage message(JsonNode message) {
        List<ToolExecutionRequest> calls = new ArrayList<>();
        for (JsonNode call : message.path("tool_calls")) {
            calls.add(ToolExecutionRequest.builder()
                    .id(call.path("id").asText())
                    .name(call.path("function").path("name").asText())
                    .arguments(call.path("function").path("arguments").asText())
                    .build());
        }
        return AiMessage.builder()
                .text(message.path("content").textValue())
                .thinking(message.path("reasoning_content").textValue())
                .toolExecutionRequests(calls)
                .build();
    }
}
