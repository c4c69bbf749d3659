package io.millrace.engine.chat;

/// How the model answers: at once, or after reasoning.
public enum ThinkingMode {
    /// No reasoning: the prompt closes the reasoning part before it begins.
    CHAT,
    /// Reasoning first.
    THINKING,
    /// Reasoning first, and the prompt begins with the text that asks for the utmost effort
    /// (`reasoning_effort` "max").
    THINKING_MAX;

    boolean isThinking() {
        return this != CHAT;
    }
}
