package io.millrace.engine.chat;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// A short classification the model was trained to give right behind a message, asked for by a token of its
/// own.
public enum QuickTask {
    ACTION,
    QUERY,
    AUTHORITY,
    DOMAIN,
    TITLE,
    READ_URL;

    /// As written in JSON.
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The control token that asks for it.
    String marker() {
        return "<｜" + key() + "｜>";
    }

    static Optional<QuickTask> of(String key) {
        return Arrays.stream(values()).filter(task -> task.key().equals(key)).findFirst();
    }
}
