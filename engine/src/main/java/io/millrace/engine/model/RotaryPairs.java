package io.millrace.engine.model;

/// Which two floats of a head turn together. A property of the stored weights: the same model may come with
/// its query and key rows in either order.
public enum RotaryPairs {
    /// Pair i is floats i and i + d / 2: Hugging Face's weights, and Qwen3's everywhere.
    HALVES,
    /// Pair i is floats 2i and 2i + 1: Meta's own weights of Llama, and those in GGUF files.
    INTERLEAVED
}
