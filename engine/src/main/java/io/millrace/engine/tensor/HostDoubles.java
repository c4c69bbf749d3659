package io.millrace.engine.tensor;

/// Activations in double precision, of the reference kernels.
///
/// @param array the storage itself, not a copy: kernels write through it
@SuppressWarnings("ArrayRecordComponent") // a view of shared storage is what this is
public record HostDoubles(double[] array) implements Floats {
    @Override
    public int size() {
        return array.length;
    }
}
