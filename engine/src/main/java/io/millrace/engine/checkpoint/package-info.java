/// A model folder on disk: configuration, safetensors, tensor names; every shape checked once.
@NullMarked
package io.millrace.engine.checkpoint;

import org.jspecify.annotations.NullMarked;
