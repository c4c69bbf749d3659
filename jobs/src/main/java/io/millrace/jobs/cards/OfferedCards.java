package io.millrace.jobs.cards;

import io.millrace.npu.cards.Card;
import io.millrace.npu.cards.CardGroups;
import io.millrace.npu.cards.Discovery;
import java.util.List;

/// What of the cards of a host is offered to Spark, by the plugin and by the script alike.
public final class OfferedCards {

    private OfferedCards() {}

    /// Addresses in the order in which Spark should hand them out: whole groups one after the other, so
    /// that executors that are given as many cards as a group has are given a group. What is left over of a
    /// group is not offered.
    ///
    /// @param group cards of an engine
    public static List<String> addresses(Discovery discovery, int group) {
        return new CardGroups(discovery.links())
                .all(discovery.usable(), group).stream()
                        .flatMap(List::stream)
                        .map(Card::address)
                        .toList();
    }
}
