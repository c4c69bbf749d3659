package io.millrace.udf;

import io.millrace.engine.api.Engine;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.TokenIds;
import org.jspecify.annotations.Nullable;

/// What a task needs of the executor's engine: the running batch and the model's own text format.
/// Thread-safe. Owned by {@link ExecutorEngine}, which closes it.
public interface PromptEngine extends Engine {

    /// The tokens of a conversation of one user turn, ready for the model's answer.
    ///
    /// @param system the system prompt, or null for none
    /// @param user the user's turn
    /// @throws io.millrace.engine.api.EngineException if the model has no chat format
    TokenIds encodeChat(@Nullable String system, String user, Thinking thinking);

    /// The tokens of plain text, without any control token.
    TokenIds encodeText(String text);

    /// The text of tokens, control tokens spelt out.
    String decode(TokenIds tokens);

    /// Separates reasoning from answer in what the model wrote.
    Answer answer(GenerationResult.Completed completed, Thinking thinking);

    /// The revision of the model as far as its folder tells, else `local`.
    String revision();

    /// What of this engine can change an answer.
    EngineIdentity identity();

    /// Kind of device that computes: `cpu`, `npu`, `served`.
    String device();

    /// What the model wrote, taken apart.
    ///
    /// @param text the answer without reasoning
    /// @param reasoning the reasoning, or null if there was none
    /// @param reasoningTokens tokens of the reasoning
    record Answer(String text, @Nullable String reasoning, int reasoningTokens) {}
}
