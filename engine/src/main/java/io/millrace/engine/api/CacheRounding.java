package io.millrace.engine.api;

/// Whether key-value rows take the FP8 round trip and index rows the Hadamard and FP4 round trip that the
/// released model was trained with (deepseek-v4.md section 2.9).
public enum CacheRounding {
    /// On if the checkpoint's config.json has a quantization_config, else off; off for GGUF, as in llama.cpp.
    AUTO,
    ON,
    OFF
}
