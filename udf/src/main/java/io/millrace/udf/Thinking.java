package io.millrace.udf;

/// Whether the model is asked to reason before it answers.
public enum Thinking {
    /// Answer at once.
    CHAT,
    /// Reason first.
    THINK
}
