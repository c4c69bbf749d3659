package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CardGroupsTest {

    private static List<Card> cards(String model, int chipsOnCard, int count) {
        return IntStream.range(0, count)
                .mapToObj(id -> new Card(
                        id,
                        id,
                        id / chipsOnCard,
                        id % chipsOnCard,
                        chipsOnCard,
                        model,
                        null,
                        Health.OK,
                        0,
                        1,
                        List.of()))
                .toList();
    }

    private static List<List<Integer>> groups(List<Card> cards, int size) {
        return new CardGroups(CardLinks.ofModels())
                .all(cards, size).stream()
                        .map(group -> group.stream().map(Card::logicalId).toList())
                        .toList();
    }

    @ParameterizedTest
    @CsvSource({
        // model, chips on a card, cards of the host, group, how many groups
        "910A, 1, 8, 4, 2",
        "910A, 1, 8, 8, 0",
        "910B3, 1, 8, 8, 1",
        "910B2C, 1, 16, 8, 2",
        "910B2C, 1, 16, 16, 0",
        "Ascend910, 2, 16, 16, 1",
        "Ascend910, 2, 16, 2, 8",
        "310P3, 2, 4, 2, 0",
        "310P3, 2, 4, 1, 4",
        "Ascend950PR, 1, 8, 2, 0"
    })
    void all_ofAHost_neverCrossALinkBoundary(String model, int chips, int count, int size, int expected) {
        List<List<Integer>> groups = groups(cards(model, chips, count), size);

        assertThat(groups)
                .hasSize(expected)
                .allSatisfy(group -> assertThat(group)
                        .hasSize(size)
                        .isSorted()
                        .allMatch(id -> id / size == group.getFirst() / size));
    }

    /// Two rings of four: 1 is broken, so 0, 2, 3 are left of the first.
    @Test
    void all_ofABrokenRing_leaveTheRest() {
        List<Card> cards = new ArrayList<>(cards("910A", 1, 8));
        cards.remove(1);

        assertThat(groups(cards, 4)).containsExactly(List.of(4, 5, 6, 7));
        assertThat(groups(cards, 2)).containsExactly(List.of(2, 3), List.of(4, 5), List.of(6, 7));
    }

    @Test
    void choose_takesWhereTheLeastIsLeftOver() {
        List<Card> cards = new ArrayList<>(cards("910A", 1, 8));
        cards.remove(7);
        cards.remove(6);

        assertThat(new CardGroups(CardLinks.ofModels()).choose(cards, 2).orElseThrow())
                .extracting(Card::logicalId)
                .containsExactly(4, 5);
        assertThat(new CardGroups(CardLinks.ofModels()).choose(cards, 1).orElseThrow())
                .extracting(Card::logicalId)
                .containsExactly(4);
    }

    @Test
    void choose_sizeThatIsNone_isRefused() {
        assertThatThrownBy(() -> new CardGroups(CardLinks.ofModels()).choose(List.of(), 3))
                .hasMessage("card group: expected [1, 2, 4, 8, 16] cards, got 3");
    }

    @Test
    void ofTopology_twoRings() {
        List<Card> cards = cards("xxx", 1, 4);
        CardLinks links = CardLinks.ofTopology("""
                \t   NPU0       NPU1       NPU2       NPU3       CPU Affinity
                NPU0       X          HCCS       PHB        SYS        0-23
                NPU1       HCCS       X          SYS        PHB        0-23
                NPU2       PHB        SYS        X          HCCS_SW    24-47
                NPU3       SYS        PHB        HCCS_SW    X          24-47

                Legend:

                  X    = Self
                  HCCS = Connection traversing HCCS.
                """, cards);

        assertThat(new CardGroups(links).all(cards, 2))
                .extracting(group -> group.stream().map(Card::logicalId).toList())
                .containsExactly(List.of(0, 1), List.of(2, 3));
        assertThat(new CardGroups(links).choose(cards, 4)).isEmpty();
    }

    @Test
    void ofTopology_ofOtherCards_isNotBelieved() {
        List<Card> cards = cards("910B1", 1, 2);
        String three = "NPU0 X SYS SYS\nNPU1 SYS X SYS\nNPU2 SYS SYS X";

        assertThat(CardLinks.ofTopology(three, cards).areFast(cards.get(0), cards.get(1)))
                .isTrue();
        assertThat(CardLinks.ofTopology("This device does not support querying topo.", cards)
                        .areFast(cards.get(0), cards.get(1)))
                .isTrue();
    }
}
