package io.millrace.npu;

import io.millrace.engine.tensor.Floats;

/// Floats on a card. The memory goes back to its pool when nothing refers to this object any more.
final class NpuFloats implements Floats {
    final long address;
    private final int size;

    NpuFloats(long address, int size) {
        this.address = address;
        this.size = size;
    }

    @Override
    public int size() {
        return size;
    }

    /// The leading elements in a shape.
    Tensor tensor(long... dims) {
        return at(0, dims);
    }

    /// Elements from `offset` on in a shape.
    Tensor at(long offset, long... dims) {
        return Tensor.dense(address, AclType.FLOAT, size, offset, dims);
    }
}
