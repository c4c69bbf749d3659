package io.millrace.engine.tensor;

/// Floats in the Java heap.
///
/// @param array the storage itself, not a copy: kernels write through it
@SuppressWarnings("ArrayRecordComponent") // a view of shared storage is what this is
public record HostFloats(float[] array) implements Floats {
    public static HostFloats allocate(int size) {
        return new HostFloats(new float[size]);
    }

    @Override
    public int size() {
        return array.length;
    }
}
