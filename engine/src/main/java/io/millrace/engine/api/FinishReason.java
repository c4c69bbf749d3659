package io.millrace.engine.api;

import java.util.Locale;

/// Why a completion ended.
public enum FinishReason {
    /// The model wrote its end-of-sequence token, or a stop string was met.
    STOP,
    /// `maxTokens` was reached.
    LENGTH;

    /// The word used on disk and by OpenAI-style interfaces: `stop`, `length`.
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
