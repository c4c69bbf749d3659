package io.millrace.udf;

/// How the filled-in template is handed to the model.
public enum PromptFormat {
    /// As the user's turn of a conversation in the model's chat format.
    CHAT,
    /// As plain text to go on with, for models that were not trained to converse.
    RAW
}
