package io.millrace.engine.chat;

/// How a conversation is written.
///
/// @param mode whether the model reasons
/// @param dropsEarlierReasoning the reasoning of turns before the last question is left out, as the model
///     was trained; without effect once a message has tools, which the model was trained to see with all
///     reasoning
/// @param beginsSequence BOS stands in front; off for the continuation of a prompt
public record ChatOptions(ThinkingMode mode, boolean dropsEarlierReasoning, boolean beginsSequence) {

    /// As the model was trained: earlier reasoning dropped, BOS in front.
    public static ChatOptions of(ThinkingMode mode) {
        return new ChatOptions(mode, true, true);
    }

    public ChatOptions keepingReasoning() {
        return new ChatOptions(mode, false, beginsSequence);
    }

    public ChatOptions withoutBos() {
        return new ChatOptions(mode, dropsEarlierReasoning, false);
    }
}
