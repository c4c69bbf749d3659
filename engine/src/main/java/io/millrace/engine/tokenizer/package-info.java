/// Text to token ids and back: byte-level byte-pair encoding read from a Hugging Face `tokenizer.json`.
@NullMarked
package io.millrace.engine.tokenizer;

import org.jspecify.annotations.NullMarked;
