package io.millrace.npu;

import java.util.ArrayList;
import java.util.List;

/// Device memory of one operation: given back when the host has queued its work, and used again only by work
/// queued later.
final class Scratch implements AutoCloseable {
    private final MemoryPool pool;
    private final List<long[]> taken = new ArrayList<>();

    Scratch(MemoryPool pool) {
        this.pool = pool;
    }

    /// Of undefined content.
    Tensor tensor(AclType type, long... dims) {
        long elements = 1;
        for (long dim : dims) {
            elements *= dim;
        }
        long bytes = Math.max(1, elements) * type.bytes;
        long address = pool.take(bytes);
        taken.add(new long[] {address, bytes});
        return Tensor.dense(address, type, elements, 0, dims);
    }

    Tensor floats(long... dims) {
        return tensor(AclType.FLOAT, dims);
    }

    @Override
    public void close() {
        for (long[] one : taken) {
            pool.giveBack(one[0], one[1]);
        }
        taken.clear();
    }
}
