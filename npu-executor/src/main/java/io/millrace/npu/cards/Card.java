package io.millrace.npu.cards;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What computes by itself: a card with one chip, or one chip (die) of a card with several. Four numberings
/// meet here, and none follows from another.
///
/// @param logicalId ACL's number in this process's view of the machine, 0 to n-1, as long as
///     `ASCEND_RT_VISIBLE_DEVICES` hides nothing: the address by which a card is offered and held
/// @param physicalId number on the host, as in `/dev/davinciN`; null if nothing told it
/// @param npuId number of the card in `npu-smi`, any number
/// @param chipId number of the chip on its card, from 0
/// @param chipsOnCard how many chips the card has
/// @param model as the table names it, such as `910B4` or `Ascend910`; empty if nobody was asked
/// @param busId PCI bus, device and function; null where the table says `NA`
/// @param usedMegabytes memory in use, of HBM where the chip has it
/// @param totalMegabytes memory; 0 if nobody was asked
/// @param processes processes on the chip, each as `NAME (PID)`
public record Card(
        int logicalId,
        @Nullable Integer physicalId,
        int npuId,
        int chipId,
        int chipsOnCard,
        String model,
        @Nullable String busId,
        Health health,
        long usedMegabytes,
        long totalMegabytes,
        List<String> processes) {

    public Card {
        processes = List.copyOf(processes);
    }

    /// How Spark and the lock files call it.
    public String address() {
        return Integer.toString(logicalId);
    }
}
