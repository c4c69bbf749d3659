package io.millrace.engine.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Reads conversations from JSON in OpenAI's form, with the further fields DeepSeek-V4's encoder knows:
/// `reasoning_content`, `tools`, `response_format`, `task` and `wo_eos` at a message.
public final class ChatMessages {
    private ChatMessages() {}

    /// Reads an array of messages, or an object `{"messages": […], "tools": […]}` whose tools go to the first
    /// message if that instructs (system, developer), else to an empty system message in front.
    ///
    /// A `content` may be text or an array of parts; the texts of the parts are joined by a blank line.
    /// Parts that are not text (images, audio) are refused: the model has no eyes.
    ///
    /// @throws EngineException `INVALID_REQUEST` with the place and the reason
    public static List<ChatMessage> parse(String json) {
        JsonNode root = tree(json);
        List<ChatMessage> messages = messages(root.isObject() ? root.path("messages") : root);
        return root.isObject() && hasValue(root.path("tools"))
                ? withTools(messages, tools(root.path("tools"), "tools"))
                : messages;
    }

    private static JsonNode tree(String json) {
        try {
            return ChatJson.read(json);
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    "messages: not JSON at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ": " + e.getOriginalMessage(),
                    e);
        }
    }

    private static List<ChatMessage> messages(JsonNode array) {
        if (!array.isArray() || array.isEmpty()) {
            throw refused("messages", "expected an array of at least one message, got " + kind(array));
        }
        List<ChatMessage> messages = new ArrayList<>(array.size());
        for (JsonNode message : array) {
            messages.add(message(message, "messages[" + messages.size() + "]"));
        }
        return List.copyOf(messages);
    }

    private static List<ChatMessage> withTools(List<ChatMessage> messages, List<JsonNode> tools) {
        List<ChatMessage> all = new ArrayList<>(messages);
        ChatRole first = messages.getFirst().role();
        if (first != ChatRole.SYSTEM && first != ChatRole.DEVELOPER) {
            all.addFirst(ChatMessage.system(""));
        }
        List<JsonNode> together = new ArrayList<>(all.getFirst().tools());
        together.addAll(tools);
        all.set(0, all.getFirst().withTools(together));
        return List.copyOf(all);
    }

    private static ChatMessage message(JsonNode message, String place) {
        if (!message.isObject()) {
            throw refused(place, "expected an object, got " + kind(message));
        }
        ChatRole role = named(message.path("role"), place + ".role", "a role", ChatRole::of);
        JsonNode task = message.path("task");
        JsonNode format = message.path("response_format");
        JsonNode unfinished = message.path("wo_eos");
        if (hasValue(unfinished) && !unfinished.isBoolean()) {
            throw refused(place + ".wo_eos", "expected true or false, got " + kind(unfinished));
        }
        try {
            return new ChatMessage(
                    role,
                    content(message.path("content"), place + ".content"),
                    text(message.path("reasoning_content"), place + ".reasoning_content"),
                    tools(message.path("tools"), place + ".tools"),
                    toolCalls(message.path("tool_calls"), place + ".tool_calls"),
                    text(message.path("tool_call_id"), place + ".tool_call_id"),
                    hasValue(task) ? named(task, place + ".task", "a task", QuickTask::of) : null,
                    isEmpty(format) ? null : format,
                    unfinished.asBoolean(false));
        } catch (EngineException e) {
            throw String.valueOf(e.getMessage()).startsWith(place)
                    ? e
                    : new EngineException(e.code(), place + ": " + e.getMessage(), e);
        }
    }

    /// Python's notion of a value that says nothing.
    private static boolean isEmpty(JsonNode node) {
        return !hasValue(node) || (node.isContainerNode() && node.isEmpty());
    }

    private static <T> T named(JsonNode node, String place, String what, Function<String, Optional<T>> names) {
        return Optional.ofNullable(node.textValue())
                .flatMap(names)
                .orElseThrow(() -> refused(place, "expected " + what + " this model knows, got " + kind(node)));
    }

    private static String content(JsonNode node, String place) {
        if (!node.isArray()) {
            return text(node, place);
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode part : node) {
            String at = place + "[" + texts.size() + "]";
            if (!"text".equals(part.path("type").textValue())) {
                throw refused(at, "expected a part of type text, got " + kind(part.path("type")));
            }
            texts.add(text(part.path("text"), at + ".text"));
        }
        return String.join("\n\n", texts);
    }

    private static String text(JsonNode node, String place) {
        if (!hasValue(node)) {
            return "";
        }
        if (!node.isTextual()) {
            throw refused(place, "expected a string, got " + kind(node));
        }
        return node.textValue();
    }

    private static List<JsonNode> tools(JsonNode node, String place) {
        List<JsonNode> tools = array(node, place);
        for (int at = 0; at < tools.size(); at++) {
            if (!tools.get(at).path("function").isObject()) {
                throw refused(
                        place + "[" + at + "].function",
                        "expected an object, got " + kind(tools.get(at).path("function")));
            }
        }
        return tools;
    }

    private static List<ToolCall> toolCalls(JsonNode node, String place) {
        List<ToolCall> calls = new ArrayList<>();
        for (JsonNode call : array(node, place)) {
            String at = place + "[" + calls.size() + "]";
            JsonNode function = call.path("function");
            if (!function.path("name").isTextual()) {
                throw refused(at + ".function.name", "expected a string, got " + kind(function.path("name")));
            }
            String id = text(call.path("id"), at + ".id");
            calls.add(new ToolCall(
                    id.isEmpty() ? text(function.path("id"), at + ".function.id") : id,
                    function.path("name").textValue(),
                    arguments(function.path("arguments"), at + ".function.arguments")));
        }
        return calls;
    }

    /// Text of JSON as OpenAI sends it, or the object itself as some programs do.
    private static String arguments(JsonNode node, String place) {
        return node.isObject() ? PythonJson.write(node) : text(node, place);
    }

    private static List<JsonNode> array(JsonNode node, String place) {
        if (!hasValue(node)) {
            return List.of();
        }
        if (!node.isArray()) {
            throw refused(place, "expected an array, got " + kind(node));
        }
        List<JsonNode> elements = new ArrayList<>(node.size());
        node.forEach(elements::add);
        return elements;
    }

    private static boolean hasValue(@Nullable JsonNode node) {
        return node != null && !node.isMissingNode() && !node.isNull();
    }

    private static String kind(JsonNode node) {
        if (node.isMissingNode()) {
            return "nothing";
        }
        String json = node.toString();
        return json.length() > 60 ? json.substring(0, 60) + "…" : json;
    }

    private static EngineException refused(String place, String reason) {
        return new EngineException(ErrorCode.INVALID_REQUEST, place + ": " + reason);
    }
}
