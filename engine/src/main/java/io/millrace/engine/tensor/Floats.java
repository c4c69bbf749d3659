package io.millrace.engine.tensor;

/// A block of activations or of small weights on a device. Model code passes it around and never looks
/// inside; on the CPU it is a {@link HostFloats}.
public interface Floats {
    /// Number of floats.
    int size();
}
