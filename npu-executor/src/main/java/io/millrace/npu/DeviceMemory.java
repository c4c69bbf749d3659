package io.millrace.npu;

/// One allocation of the runtime, on the card or pinned on the host; closed once, by its owner.
final class DeviceMemory implements AutoCloseable {
    /// Where it lies.
    enum Kind {
        DEVICE,
        PINNED
    }

    final Kind kind;
    final long address;
    final long bytes;
    private final Card card;

    DeviceMemory(Card card, Kind kind, long address, long bytes) {
        this.card = card;
        this.kind = kind;
        this.address = address;
        this.bytes = bytes;
    }

    @Override
    public void close() {
        card.free(this);
    }

    @Override
    public String toString() {
        return kind + " " + bytes + " bytes";
    }
}
