package io.millrace.udf.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an agent says when it is its turn.
///
/// @param content the text without reasoning
/// @param reasoning what it thought before, null if nothing was told
/// @param toolCalls tools it calls, in order
/// @param finishReason `stop` or `length`
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Turn(
        String content, @Nullable String reasoning, List<ToolCall> toolCalls, String finishReason, Usage usage) {

    public Turn {
        toolCalls = List.copyOf(toolCalls);
    }

    /// One call.
    ///
    /// @param arguments JSON text of an object, if the model wrote one
    public record ToolCall(String id, String name, String arguments) {}

    /// Tokens of one call of the model.
    ///
    /// @param cachedTokens of the prompt's, how many were not computed anew
    public record Usage(int promptTokens, int cachedTokens, int completionTokens) {
        public static final Usage NONE = new Usage(0, 0, 0);

        Usage plus(Usage other) {
            return new Usage(
                    promptTokens + other.promptTokens,
                    cachedTokens + other.cachedTokens,
                    completionTokens + other.completionTokens);
        }
    }
}
