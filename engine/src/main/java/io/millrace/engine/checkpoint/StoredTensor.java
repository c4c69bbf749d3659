package io.millrace.engine.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// One tensor as it lies in a file.
///
/// @param shape outermost first, as safetensors headers have it; GGUF counts the other way
/// @param data the mapped bytes, read-only and not aligned; dead once the checkpoint is closed
/// @param file the file's name, for messages
record StoredTensor(String name, StoredType type, List<Long> shape, MemorySegment data, String file) {
    /// Dtype and shape, for messages.
    String form() {
        return type + " " + shape;
    }

    /// Number of elements.
    long elements() {
        long elements = 1;
        for (long extent : shape) {
            elements *= extent;
        }
        return elements;
    }
}
