package io.millrace.udf;

/// How the filled-in template is handed to the model.
public enum PromptFormat {
    /// As the user's turn of a conversation in the model's chat format.
    CHAT,
    /// As a whole conversation: the text is a JSON array of messages in OpenAI's form, and is never cut.
    MESSAGES,
    /// As plain text to go on with, for models that were not trained to converse.
    RAW,
    /// As plain text to go on with in which the names of control tokens stand for these tokens. For
    /// texts of the job itself, never for a corpus.
    CONTROL,
    /// As the text's own body says: it is that of a request in OpenAI's form, of a conversation
    /// (`messages`) or of a text to go on with (`prompt`), and is never cut. Its other fields are the
    /// row's parameters.
    OPENAI;

    /// Whether the text is JSON.
    public boolean isJson() {
        return this == MESSAGES || this == OPENAI;
    }
}
