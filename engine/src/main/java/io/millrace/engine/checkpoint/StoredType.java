package io.millrace.engine.checkpoint;

import io.millrace.engine.tensor.DType;
import org.jspecify.annotations.Nullable;

/// A file format's own word for how a tensor's elements are stored.
sealed interface StoredType permits SafetensorsType, GgufType {
    /// Our name for it, or null if nothing here computes with such elements.
    @Nullable
    DType dtype();

    /// The file format's name for it.
    String name();
}
