package io.millrace.npu;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Device memory in large allocations, given out in pieces: the runtime backs small ones with pages of
/// 2 MiB.
///
/// Floats have no owner that closes them: caches are forked, shared and dropped, and live as long as
/// something refers to them, like those of the CPU's rings. So a piece comes back when the collector finds
/// its floats unreachable. The collector does not see how full a card is: when memory runs out it is asked
/// to look, as the JDK does for direct buffers, and only then is the allocation refused. Used by one thread
/// at a time.
final class MemoryPool implements AutoCloseable {
    private static final long ALIGNMENT = 512;
    private static final long SLAB = 32L << 20;
    private static final int ATTEMPTS = 8;

    private final Card card;
    private final List<DeviceMemory> slabs = new ArrayList<>();
    private final TreeMap<Long, Deque<Long>> free = new TreeMap<>();
    private final ReferenceQueue<NpuFloats> unreachable = new ReferenceQueue<>();
    private final Set<Piece> pieces = new HashSet<>();
    private long at;
    private long end;

    /// The piece behind some floats.
    private static final class Piece extends PhantomReference<NpuFloats> {
        private final long address;
        private final long bytes;

        Piece(NpuFloats floats, ReferenceQueue<NpuFloats> queue, long bytes) {
            super(floats, queue);
            this.address = floats.address;
            this.bytes = bytes;
        }
    }

    MemoryPool(Card card) {
        this.card = card;
    }

    /// Floats of undefined content.
    NpuFloats floats(int size) {
        long bytes = Math.max(1, (long) size) * Float.BYTES;
        NpuFloats floats = new NpuFloats(take(bytes), size);
        pieces.add(new Piece(floats, unreachable, bytes));
        return floats;
    }

    /// Memory until it is given back.
    long take(long bytes) {
        reclaim();
        long size = rounded(bytes);
        for (int attempt = 0; ; attempt++) {
            Long ready = ready(size);
            if (ready != null) {
                return ready;
            }
            try {
                return fresh(size);
            } catch (Card.FullException e) {
                if (attempt == ATTEMPTS) {
                    throw e.refusal;
                }
                collect();
            }
        }
    }

    /// What is given back may still be in use by queued work: later work of the same stream waits for it.
    void giveBack(long address, long bytes) {
        free.computeIfAbsent(rounded(bytes), size -> new ArrayDeque<>()).addFirst(address);
    }

    /// Sizes in quarters of powers of two, so that pieces fit again.
    private static long rounded(long bytes) {
        long step = Math.max(ALIGNMENT, Long.highestOneBit(bytes) / 4);
        return Math.ceilDiv(bytes, step) * step;
    }

    private @Nullable Long ready(long size) {
        Deque<Long> exact = free.get(size);
        return exact == null ? null : exact.pollFirst();
    }

    private long fresh(long size) throws Card.FullException {
        if (size > SLAB / 4) {
            return slab(size).address;
        }
        if (end - at < size) {
            DeviceMemory slab = slab(SLAB);
            giveBackRest();
            at = slab.address;
            end = slab.address + SLAB;
        }
        long address = at;
        at += size;
        return address;
    }

    private DeviceMemory slab(long bytes) throws Card.FullException {
        DeviceMemory slab = card.malloc(bytes);
        slabs.add(slab);
        return slab;
    }

    /// The unused end of a slab, in pieces that sizes round to.
    private void giveBackRest() {
        while (end - at >= ALIGNMENT) {
            long piece = Long.highestOneBit(end - at);
            giveBack(at, piece);
            at += piece;
        }
    }

    private void collect() {
        System.gc();
        try {
            Reference<? extends NpuFloats> found = unreachable.remove(100);
            if (found instanceof Piece piece) {
                giveBack(piece);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        reclaim();
    }

    private void reclaim() {
        for (Reference<?> found = unreachable.poll(); found != null; found = unreachable.poll()) {
            giveBack((Piece) found);
        }
    }

    private void giveBack(Piece piece) {
        if (pieces.remove(piece)) {
            giveBack(piece.address, piece.bytes);
        }
    }

    /// Bytes held from the card.
    long bytes() {
        return slabs.stream().mapToLong(slab -> slab.bytes).sum();
    }

    @Override
    public void close() {
        slabs.forEach(DeviceMemory::close);
        slabs.clear();
        free.clear();
    }
}
