/// The forward passes, each written to be read beside its paper: DeepSeek-V4, Qwen3, Llama.
@NullMarked
package io.millrace.engine.model;

import org.jspecify.annotations.NullMarked;
