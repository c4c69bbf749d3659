package io.millrace.udf;

import io.millrace.engine.chat.ThinkingMode;

/// Whether the model is asked to reason before it answers.
public enum Thinking {
    /// Answer at once.
    CHAT,
    /// Reason first.
    THINK,
    /// Reason first, with the utmost effort.
    MAX;

    /// In the words of the chat format.
    public ThinkingMode mode() {
        return switch (this) {
            case CHAT -> ThinkingMode.CHAT;
            case THINK -> ThinkingMode.THINKING;
            case MAX -> ThinkingMode.THINKING_MAX;
        };
    }
}
