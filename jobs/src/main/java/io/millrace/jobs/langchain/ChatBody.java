package io.millrace.jobs.langchain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A chat request as the body of one to OpenAI's interface. What that body cannot say is refused.
final class ChatBody {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatBody() {}

    /// @throws UnsupportedFeatureException for penalties, and messages that are not text or calls of tools
    static ObjectNode of(ChatRequest request) {
        refuse("frequencyPenalty", request.frequencyPenalty());
        refuse("presencePenalty", request.presencePenalty());
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        put(body, "model", request.modelName());
        put(body, "temperature", request.temperature());
        put(body, "top_p", request.topP());
        put(body, "top_k", request.topK());
        put(body, "max_tokens", request.maxOutputTokens());
        ArrayNode messages = body.putArray("messages");
        request.messages().forEach(message -> messages.add(message(message)));
        List<String> stops = request.stopSequences();
        if (stops != null && !stops.isEmpty()) {
            body.set("stop", JSON.valueToTree(stops));
        }
        if (request.responseFormat() != null && request.responseFormat().type() == ResponseFormatType.JSON) {
            body.set("response_format", form(request.responseFormat()));
        }
        List<ToolSpecification> tools = request.toolSpecifications();
        if (tools != null && !tools.isEmpty()) {
            ArrayNode written = body.putArray("tools");
            tools.forEach(tool -> written.add(tool(tool)));
            if (request.toolChoice() != null) {
                body.put("tool_choice", request.toolChoice().name().toLowerCase(Locale.ROOT));
            }
        }
        return body;
    }

    private static void refuse(String name, @Nullable Object value) {
        if (value != null) {
            throw new UnsupportedFeatureException(name + ": expected none, got " + value);
        }
    }

    private static void put(ObjectNode body, String name, @Nullable Object value) {
        if (value != null) {
            body.set(name, JSON.valueToTree(value));
        }
    }

    private static ObjectNode message(ChatMessage message) {
        ObjectNode written = JsonNodeFactory.instance.objectNode();
        return switch (message) {
            case SystemMessage system -> written.put("role", "system").put("content", system.text());
            case UserMessage user -> written.put("role", "user").put("content", texts(user.contents()));
            case AiMessage said -> said(written.put("role", "assistant"), said);
            case ToolExecutionResultMessage result ->
                written.put("role", "tool").put("tool_call_id", result.id()).put("content", texts(result.contents()));
            default -> throw new UnsupportedFeatureException("message of type " + message.type());
        };
    }

    private static String texts(List<Content> contents) {
        return contents.stream()
                .map(content -> {
                    if (content instanceof TextContent text) {
                        return text.text();
                    }
                    throw new UnsupportedFeatureException("content of type " + content.type());
                })
                .collect(Collectors.joining("\n"));
    }

    private static ObjectNode said(ObjectNode written, AiMessage said) {
        written.put("content", said.text());
        if (said.hasToolExecutionRequests()) {
            ArrayNode calls = written.putArray("tool_calls");
            for (ToolExecutionRequest call : said.toolExecutionRequests()) {
                calls.addObject()
                        .put("id", call.id())
                        .put("type", "function")
                        .putObject("function")
                        .put("name", call.name())
                        .put("arguments", call.arguments());
            }
        }
        return written;
    }

    private static ObjectNode form(ResponseFormat format) {
        ObjectNode form = JsonNodeFactory.instance.objectNode();
        if (format.jsonSchema() == null) {
            return form.put("type", "json_object");
        }
        form.put("type", "json_schema")
                .putObject("json_schema")
                .put("name", format.jsonSchema().name())
                .set("schema", closed(schema(format.jsonSchema().rootElement())));
        return form;
    }

    /// LangChain4j leaves out whether objects may have other members than those that are named. A model that may
    /// write any would.
    private static JsonNode closed(JsonNode schema) {
        schema.forEach(ChatBody::closed);
        if (schema instanceof ObjectNode object
                && object.path("type").asText().equals("object")
                && object.path("properties").isObject()) {
            object.put("additionalProperties", false);
        }
        return schema;
    }

    private static ObjectNode tool(ToolSpecification tool) {
        ObjectNode written = JsonNodeFactory.instance.objectNode().put("type", "function");
        ObjectNode function = written.putObject("function").put("name", tool.name());
        put(function, "description", tool.description());
        if (tool.parameters() != null) {
            function.set("parameters", schema(tool.parameters()));
        }
        return written;
    }

    private static ObjectNode schema(JsonSchemaElement element) {
        return JSON.valueToTree(JsonSchemaElementUtils.toMap(element));
    }
}
