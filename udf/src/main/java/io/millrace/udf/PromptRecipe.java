package io.millrace.udf;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/// How a row becomes a prompt.
///
/// @param template the user's turn: text with `{column}` placeholders, `{text}` being the text column; `{{`
///     and `}}` are braces
/// @param format whether that is a turn of a conversation or plain text
/// @param system the system prompt, or null for none
/// @param thinking whether the model reasons before it answers
/// @param maxPromptTokens upper bound of the prompt's tokens, control tokens included; 0 for what the model
///     has left beside the completion
/// @param overlong what becomes of longer prompts
public record PromptRecipe(
        String template,
        PromptFormat format,
        @Nullable String system,
        Thinking thinking,
        int maxPromptTokens,
        OverlongPolicy overlong)
        implements Serializable {

    /// The template whose user turn is the text and nothing else.
    public static final String TEXT_ONLY = "{text}";

    /// The text column's value as one user turn, in chat mode; longer ones lose their end.
    public static PromptRecipe ofText() {
        return new PromptRecipe(TEXT_ONLY, PromptFormat.CHAT, null, Thinking.CHAT, 0, OverlongPolicy.TRUNCATE_END);
    }

    /// The same with another template.
    public PromptRecipe withTemplate(String other) {
        return new PromptRecipe(other, format, system, thinking, maxPromptTokens, overlong);
    }
}
