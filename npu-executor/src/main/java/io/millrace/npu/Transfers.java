package io.millrace.npu;

import io.millrace.npu.Card.Direction;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What a step takes to the card and back, through pinned memory: only that is copied without the host's
/// help. Uploads fill the staging buffer one behind the other and wait for the card only when it is full.
@SuppressWarnings("restricted") // pinned memory is the host's, of the size asked for
final class Transfers implements AutoCloseable {
    private static final long STAGING = 4L << 20;

    private final Card card;
    private final DeviceMemory pinned;
    private final MemorySegment staging;
    private long filled;

    Transfers(Card card) {
        this.card = card;
        this.pinned = card.mallocHost(STAGING);
        this.staging = MemorySegment.ofAddress(pinned.address).reinterpret(STAGING);
    }

    void upload(float[] values, int from, int count, long target) {
        for (int done = 0; done < count; ) {
            int part = (int) Math.min(count - done, STAGING / Float.BYTES);
            long at = room((long) part * Float.BYTES);
            MemorySegment.copy(values, from + done, staging, ValueLayout.JAVA_FLOAT, at, part);
            send(at, target + (long) done * Float.BYTES, (long) part * Float.BYTES);
            done += part;
        }
    }

    void upload(int[] values, long target) {
        for (int done = 0; done < values.length; ) {
            int part = (int) Math.min(values.length - done, STAGING / Integer.BYTES);
            long at = room((long) part * Integer.BYTES);
            MemorySegment.copy(values, done, staging, ValueLayout.JAVA_INT, at, part);
            send(at, target + (long) done * Integer.BYTES, (long) part * Integer.BYTES);
            done += part;
        }
    }

    private long room(long bytes) {
        if (filled + bytes > STAGING) {
            card.synchronize(card.computeStream());
            filled = 0;
        }
        long at = filled;
        filled += Math.ceilDiv(bytes, 64) * 64;
        return at;
    }

    private void send(long at, long target, long bytes) {
        card.copy(Direction.TO_DEVICE, target, pinned.address + at, bytes, card.computeStream());
    }

    /// Waits for the card.
    void read(long source, float[] target, int at, int count) {
        for (int done = 0; done < count; ) {
            int part = (int) Math.min(count - done, STAGING / Float.BYTES);
            receive(source + (long) done * Float.BYTES, (long) part * Float.BYTES);
            MemorySegment.copy(staging, ValueLayout.JAVA_FLOAT, 0, target, at + done, part);
            done += part;
        }
    }

    /// Waits for the card.
    int[] ints(long source, int count) {
        int[] target = new int[count];
        for (int done = 0; done < count; ) {
            int part = (int) Math.min(count - done, STAGING / Integer.BYTES);
            receive(source + (long) done * Integer.BYTES, (long) part * Integer.BYTES);
            MemorySegment.copy(staging, ValueLayout.JAVA_INT, 0, target, done, part);
            done += part;
        }
        return target;
    }

    private void receive(long source, long bytes) {
        // what waits in the buffer goes first: the stream runs in order, and then the buffer is free
        card.synchronize(card.computeStream());
        filled = 0;
        card.copy(Direction.FROM_DEVICE, pinned.address, source, bytes, card.computeStream());
        card.synchronize(card.computeStream());
    }

    @Override
    public void close() {
        pinned.close();
    }
}
