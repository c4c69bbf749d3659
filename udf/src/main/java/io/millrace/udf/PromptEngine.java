package io.millrace.udf;

import io.millrace.engine.api.Engine;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ToolCall;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

    /// The prompt of a conversation of one user turn, in the form that {@link #submit(PromptRequest)}
    /// takes.
    default EncodedPrompt chat(@Nullable String system, String user, Thinking thinking) {
        return new EncodedPrompt.Tokens(encodeChat(system, user, thinking));
    }

    /// The prompt of a conversation.
    ///
    /// @param json array of messages in OpenAI's form
    /// @throws EngineException INVALID_REQUEST if the model cannot take them
    default EncodedPrompt messages(String json, Thinking thinking) {
        throw new EngineException(ErrorCode.INVALID_REQUEST, "messages: this engine takes texts only");
    }

    /// The beginning of an answer that calls a tool, which a prompt of a conversation ends with to have
    /// it called.
    ///
    /// @param tool name of the tool; null for any
    /// @throws EngineException INVALID_REQUEST if the model's format has none
    default EncodedPrompt.Begun beginCall(EncodedPrompt prompt, @Nullable String tool) {
        throw new EngineException(
                ErrorCode.INVALID_REQUEST, "tool_choice: expected auto or none, since this engine cannot make a call");
    }

    /// The prompt of a text to go on with.
    default EncodedPrompt text(String text) {
        return new EncodedPrompt.Tokens(encodeText(text));
    }

    /// The prompt of a text to go on with, in which the names of control tokens stand for these tokens.
    default EncodedPrompt controlText(String text) {
        return text(text);
    }

    /// The token that begins a text of which nothing is known, before a continuation without a prompt.
    ///
    /// @throws EngineException INVALID_REQUEST if the model has none
    default TokenIds beginning() {
        throw new EngineException(
                ErrorCode.INVALID_REQUEST, "prompt: expected a text, since this model has no token to begin with");
    }

    /// Queues a request. The future never completes exceptionally: a failure is a {@link
    /// GenerationResult.Failed}.
    default CompletableFuture<GenerationResult> submit(PromptRequest request) {
        if (request.prompt() instanceof EncodedPrompt.Tokens(TokenIds ids)) {
            return submit(new GenerationRequest(request.id(), ids, request.sampling()));
        }
        throw new IllegalArgumentException("not a prompt of this engine: " + request.prompt());
    }

    /// The tokens of plain text, without any control token.
    TokenIds encodeText(String text);

    /// The text of tokens, control tokens spelt out.
    String decode(TokenIds tokens);

    /// Separates reasoning from answer in what the model wrote.
    Answer answer(GenerationResult.Completed completed, Thinking thinking);

    /// The same with calls of tools told apart.
    default Answer answer(GenerationResult.Completed completed, Reading reading) {
        return answer(completed, reading.thinking());
    }

    /// The revision of the model as far as its folder tells, else `local`.
    String revision();

    /// What of this engine can change an answer.
    EngineIdentity identity();

    /// Kind of device that computes: `cpu`, `npu`, `served`.
    String device();

    /// What the model wrote, taken apart.
    ///
    /// @param text the answer without reasoning and calls
    /// @param reasoning the reasoning, or null if there was none
    /// @param reasoningTokens tokens of the reasoning
    /// @param calls of tools
    /// @param fault why calls that the answer seems to have could not be read; null if there is nothing
    ///     wrong
    record Answer(
            String text,
            @Nullable String reasoning,
            int reasoningTokens,
            List<ToolCall> calls,
            @Nullable String fault) {

        public Answer {
            calls = List.copyOf(calls);
        }

        /// Without calls.
        public Answer(String text, @Nullable String reasoning, int reasoningTokens) {
            this(text, reasoning, reasoningTokens, List.of(), null);
        }
    }
}
