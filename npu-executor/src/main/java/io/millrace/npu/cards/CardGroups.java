package io.millrace.npu.cards;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Groups of cards for models that need several: all of a group's cards are joined by fast links, each with
/// each.
public final class CardGroups {
    /// How many cards a group may have.
    public static final Set<Integer> SIZES = Set.of(1, 2, 4, 8, 16);

    private final CardLinks links;

    public CardGroups(CardLinks links) {
        this.links = links;
    }

    /// The group to take next: where the least is left over, so that large groups stay whole for those who
    /// need them, and there one that begins at a multiple of its size.
    ///
    /// @param free cards to choose from
    /// @return empty if no such group is free
    /// @throws IllegalArgumentException if the size is none of {@link #SIZES}
    public Optional<List<Card>> choose(Collection<Card> free, int size) {
        if (!SIZES.contains(size)) {
            throw new IllegalArgumentException("card group: expected " + new TreeSet<>(SIZES) + " cards, got " + size);
        }
        List<Card> inOrder =
                free.stream().sorted(Comparator.comparingInt(Card::logicalId)).toList();
        return inOrder.stream()
                .map(first -> group(first, inOrder, size))
                .filter(group -> group.size() == size)
                .min(Comparator.<List<Card>>comparingLong(group -> joined(group.getFirst(), inOrder))
                        .thenComparing(group -> !isAligned(group))
                        .thenComparingInt(group -> group.getFirst().logicalId()));
    }

    /// All groups, one after the other, until no further one is free.
    public List<List<Card>> all(Collection<Card> cards, int size) {
        List<Card> free = new ArrayList<>(cards);
        List<List<Card>> groups = new ArrayList<>();
        Optional<List<Card>> next = choose(free, size);
        while (next.isPresent()) {
            groups.add(next.get());
            free.removeAll(next.get());
            next = choose(free, size);
        }
        return groups;
    }

    private List<Card> group(Card first, List<Card> free, int size) {
        List<Card> group = new ArrayList<>(List.of(first));
        for (Card card : free) {
            boolean follows = card.logicalId() > first.logicalId();
            if (group.size() < size && follows && group.stream().allMatch(member -> links.areFast(member, card))) {
                group.add(card);
            }
        }
        return group;
    }

    private long joined(Card card, List<Card> free) {
        return free.stream().filter(other -> links.areFast(card, other)).count();
    }

    private static boolean isAligned(List<Card> group) {
        int first = group.getFirst().logicalId();
        return first % group.size() == 0 && group.getLast().logicalId() == first + group.size() - 1;
    }
}
