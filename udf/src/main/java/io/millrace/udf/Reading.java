package io.millrace.udf;

import org.jspecify.annotations.Nullable;

/// How an answer is read.
///
/// @param isChat whether it is the answer to a conversation, in which calls of tools are looked for,
///     and not the rest of a text
/// @param begun what of the answer the prompt gave, in a chat format's own writing; empty for nothing
/// @param schema JSON Schema of the value that the answer has to be; null for any answer
public record Reading(
        boolean isChat,
        Thinking thinking,
        String begun,
        @Nullable String schema) {

    /// Of an answer that may be anything.
    public static Reading of(Thinking thinking) {
        return new Reading(true, thinking, "", null);
    }
}
