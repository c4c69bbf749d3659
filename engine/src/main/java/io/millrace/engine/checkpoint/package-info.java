/// A model on disk: configuration, safetensors or GGUF, tensor names; every shape checked once.
@NullMarked
package io.millrace.engine.checkpoint;

import org.jspecify.annotations.NullMarked;
