package io.millrace.engine.chat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One message of a conversation, with the fields of DeepSeek-V4's own encoder.
///
/// @param content the text; empty if there is none
/// @param reasoningContent what the assistant thought before it answered; empty if nothing
/// @param tools the tools the model may call, each in OpenAI's form `{"type": "function", "function": {…}}`;
///     system and developer only
/// @param toolCalls assistant only
/// @param toolCallId of the call that a tool message answers; empty if unknown
/// @param task asks for a quick classification behind this message
/// @param responseFormat JSON schema the answer must follow; system and developer only
/// @param unfinished the message has no end token, so that the model goes on with it (`wo_eos`)
public record ChatMessage(
        ChatRole role,
        String content,
        String reasoningContent,
        List<JsonNode> tools,
        List<ToolCall> toolCalls,
        String toolCallId,
        @Nullable QuickTask task,
        @Nullable JsonNode responseFormat,
        boolean unfinished) {

    /// @throws EngineException `INVALID_REQUEST` if a field does not go with the role
    public ChatMessage {
        tools = List.copyOf(tools);
        toolCalls = List.copyOf(toolCalls);
        boolean instructs = role == ChatRole.SYSTEM || role == ChatRole.DEVELOPER;
        check(instructs || tools.isEmpty(), role, "tools");
        check(instructs || responseFormat == null, role, "response_format");
        check(role == ChatRole.ASSISTANT || toolCalls.isEmpty(), role, "tool_calls");
        if (role == ChatRole.DEVELOPER && content.isEmpty()) {
            throw new EngineException(ErrorCode.INVALID_REQUEST, "a developer message needs a content, got none");
        }
    }

    private static void check(boolean holds, ChatRole role, String field) {
        if (!holds) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, field + ": not expected in a message of role " + role.key());
        }
    }

    /// A message of text only.
    public static ChatMessage of(ChatRole role, String content) {
        return new ChatMessage(role, content, "", List.of(), List.of(), "", null, null, false);
    }

    public static ChatMessage system(String content) {
        return of(ChatRole.SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return of(ChatRole.USER, content);
    }

    /// An answer with the reasoning before it (may be empty).
    public static ChatMessage assistant(String reasoningContent, String content) {
        return new ChatMessage(
                ChatRole.ASSISTANT, content, reasoningContent, List.of(), List.of(), "", null, null, false);
    }

    public static ChatMessage toolResult(String toolCallId, String content) {
        return new ChatMessage(ChatRole.TOOL, content, "", List.of(), List.of(), toolCallId, null, null, false);
    }

    /// The same message with these tools.
    public ChatMessage withTools(List<JsonNode> tools) {
        return new ChatMessage(
                role, content, reasoningContent, tools, toolCalls, toolCallId, task, responseFormat, unfinished);
    }
}
