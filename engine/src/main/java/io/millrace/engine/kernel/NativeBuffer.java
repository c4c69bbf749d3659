package io.millrace.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Memory outside the heap that grows; what it holds is lost then.
final class NativeBuffer {
    private static final int ALIGNMENT = 64;

    private @Nullable Arena arena;
    private MemorySegment memory = MemorySegment.NULL;

    MemorySegment of(long bytes) {
        if (memory.byteSize() < bytes) {
            close();
            Arena fresh = Arena.ofShared();
            memory = fresh.allocate(Math.max(bytes, 2 * memory.byteSize()), ALIGNMENT);
            arena = fresh;
        }
        return memory;
    }

    void close() {
        if (arena != null) {
            arena.close();
            arena = null;
            memory = MemorySegment.NULL;
        }
    }
}
