package io.millrace.engine.chat;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// Who speaks.
public enum ChatRole {
    SYSTEM,
    DEVELOPER,
    USER,
    ASSISTANT,
    /// The result of a tool call.
    TOOL,
    /// Circumstances of the moment (date, place, client) that the application puts before the newest
    /// question.
    LATEST_REMINDER;

    /// As written in JSON.
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<ChatRole> of(String key) {
        return Arrays.stream(values()).filter(role -> role.key().equals(key)).findFirst();
    }
}
