package io.millrace.npu.cards;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The cards of this host as this process may see them.
///
/// @param findings one for each card, in the order of the logical ids
/// @param source what told of them, or why nothing did
/// @param links which of them are joined
public record Discovery(List<Finding> findings, String source, CardLinks links) {

    /// One card.
    ///
    /// @param refusal why it is not offered; null if it is
    public record Finding(Card card, @Nullable String refusal) {}

    public Discovery {
        findings = List.copyOf(findings);
    }

    static Discovery none(String reason) {
        return new Discovery(List.of(), reason, CardLinks.ofModels());
    }

    /// Those that may be used.
    public List<Card> usable() {
        return findings.stream()
                .filter(finding -> finding.refusal() == null)
                .map(Finding::card)
                .toList();
    }

    /// A sentence for each card that is left out.
    public List<String> refusals() {
        return findings.stream()
                .filter(finding -> finding.refusal() != null)
                .map(finding -> "npu " + finding.card().address() + ": " + finding.refusal())
                .toList();
    }
}
