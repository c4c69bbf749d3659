package io.millrace.npu.cards;

import java.util.List;

/// Cards that this process holds until it gives them back or ends. Thread-safe.
public final class HeldCards implements AutoCloseable {
    private final CardLeases leases;
    private final String run;
    private final List<Card> cards;

    HeldCards(CardLeases leases, String run, List<Card> cards) {
        this.leases = leases;
        this.run = run;
        this.cards = cards;
    }

    public List<Card> cards() {
        return cards;
    }

    /// Says that these cards failed: nobody takes them again in this run. They stay held, since this
    /// process may still hang on them.
    public void retire(CardFault fault, String reason) {
        leases.retire(cards, run, fault, reason);
    }

    /// Gives the cards back. Idempotent.
    @Override
    public void close() {
        leases.release(cards);
    }
}
