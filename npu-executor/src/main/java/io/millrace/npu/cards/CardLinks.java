package io.millrace.npu.cards;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;

/// Which cards are joined by fast links (HCCS, its switch, or the link between the two dies of a card), so
/// that a model may be spread over them. PCIe is none.
public final class CardLinks {
    /// The words of `npu-smi info -t topo` and of ACL's `aclrtGetDevicesTopo` that mean a fast link; the
    /// others are PIX, PXB, PHB, SYS and NA.
    private static final Set<String> FAST = Set.of("HCCS", "HCCS_SW", "SIO");

    private static final Pattern HEAD = Pattern.compile("(?:NPU|Phy-ID)\\s?(\\d+)");

    private final BiPredicate<Card, Card> fast;

    private CardLinks(BiPredicate<Card, Card> fast) {
        this.fast = fast;
    }

    /// Whether a fast link joins them; a card is joined to itself.
    public boolean areFast(Card a, Card b) {
        return a.logicalId() == b.logicalId() || fast.test(a, b);
    }

    /// What `npu-smi info -t topo` says: a matrix whose rows and columns are the cards in their order.
    ///
    /// @param cards all cards, in the order of their logical ids
    /// @return the links of the matrix; those that the models are known to have if the text is none of as
    ///     many cards
    static CardLinks ofTopology(String text, List<Card> cards) {
        List<List<String>> matrix = new ArrayList<>();
        for (String line : text.lines().map(String::strip).toList()) {
            List<String> words = List.of(line.split("\\s+"));
            // the header has as many such names as there are cards, a row one
            if (HEAD.matcher(words.getFirst()).matches() && !isHeader(words)) {
                matrix.add(words.subList(1, words.size()));
            }
        }
        int count = cards.size();
        if (matrix.size() != count || matrix.stream().anyMatch(row -> row.size() < count)) {
            return ofModels();
        }
        Set<Long> joined = new HashSet<>();
        for (int row = 0; row < count; row++) {
            for (int column = 0; column < count; column++) {
                if (FAST.contains(matrix.get(row).get(column))) {
                    joined.add(
                            pair(cards.get(row).logicalId(), cards.get(column).logicalId()));
                }
            }
        }
        return new CardLinks((a, b) -> joined.contains(pair(a.logicalId(), b.logicalId())));
    }

    private static boolean isHeader(List<String> words) {
        return words.size() > 1 && HEAD.matcher(words.get(1)).matches();
    }

    private static long pair(int a, int b) {
        return ((long) a << Integer.SIZE) | b;
    }

    /// What is known of the models where the tool does not tell: HCCS joins four of a server's
    /// first-generation 910, eight 910B (a server of sixteen has two such halves), and sixteen dies of an
    /// A3 server. Of any other model it is not known, so nothing is joined.
    ///
    /// Source: MindCluster's affinity rules of Atlas training products, of the A2 Box16, and of the A3.
    static CardLinks ofModels() {
        return new CardLinks((a, b) -> {
            int joined = joinedCards(a);
            return a.model().equals(b.model()) && joined > 0 && place(a) / joined == place(b) / joined;
        });
    }

    private static int joinedCards(Card card) {
        String model = card.model();
        if (model.equals("Ascend910") && card.chipsOnCard() == 2) {
            return 16;
        }
        if (model.startsWith("910B") || model.startsWith("Ascend910B")) {
            return 8;
        }
        return model.matches("(Ascend)?910([A-Z].*)?") ? 4 : 0;
    }

    private static int place(Card card) {
        Integer physical = card.physicalId();
        return physical == null ? card.logicalId() : physical;
    }
}
