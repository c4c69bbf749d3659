package io.millrace.npu.cards;

import io.millrace.npu.cards.Discovery.Finding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Finds the cards of this host: asks `npu-smi`, or where there is none counts device nodes, and leaves out
/// what is unhealthy, occupied, or not for this process.
public final class CardDiscovery {
    private static final Pattern NODE = Pattern.compile("v?davinci(\\d+)");
    /// Chips keep up to a tenth of their memory for themselves; what uses more than this part is a program,
    /// although in a container the tool does not see which.
    private static final int OCCUPIED_PERCENT = 25;

    private final NpuSmi smi;
    private final Path devices;
    private final CardEnvironment environment;

    /// @param devices folder of the device nodes
    CardDiscovery(NpuSmi smi, Path devices, CardEnvironment environment) {
        this.smi = smi;
        this.devices = devices;
        this.environment = environment;
    }

    /// As this process sees its host.
    public static CardDiscovery ofThisHost() {
        return new CardDiscovery(NpuSmi.installed(), Path.of("/dev"), CardEnvironment.ofThisProcess());
    }

    public Discovery find() {
        List<Integer> nodes = nodes();
        return switch (smi.run("info")) {
            case NpuSmi.Printed(String text) -> ofTable(text, nodes);
            case NpuSmi.Failed(String reason) -> Discovery.none(reason);
            case NpuSmi.Missing _ -> ofNodes(nodes);
        };
    }

    /// Physical ids of the device nodes, ascending.
    private List<Integer> nodes() {
        SortedSet<Integer> ids = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(devices)) {
            for (Path entry : entries) {
                Matcher name = NODE.matcher(entry.getFileName().toString());
                if (name.matches()) {
                    ids.add(Integer.valueOf(name.group(1)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(devices + ": expected a readable folder", e);
        }
        return List.copyOf(ids);
    }

    private Discovery ofNodes(List<Integer> nodes) {
        if (nodes.isEmpty()) {
            return Discovery.none("no npu-smi, and no " + devices + "/davinci*"
                    + (environment.assigned() == null
                            ? ""
                            : ", although ASCEND_VISIBLE_DEVICES is " + environment.assigned()
                                    + ": the container was not started by Ascend's runtime"));
        }
        List<Card> cards = new ArrayList<>();
        for (int physical : nodes) {
            cards.add(new Card(cards.size(), physical, physical, 0, 1, "", null, Health.NOT_ASKED, 0, 0, List.of()));
        }
        return judged(cards, devices + "/davinci*, since there is no npu-smi", CardLinks.ofModels());
    }

    private Discovery ofTable(String text, List<Integer> nodes) {
        List<SmiTable.Row> rows = SmiTable.parse(text).rows();
        if (rows.isEmpty()) {
            return Discovery.none("npu-smi info: expected a table of cards, got: " + NpuSmi.lastLine(text));
        }
        List<Card> cards = new Numbering(
                        rows, printed("info", "-m").map(SmiMapping::parse).orElse(SmiMapping.NONE), nodes)
                .cards();
        CardLinks links = cards.size() == 1
                ? CardLinks.ofModels()
                : printed("info", "-t", "topo")
                        .map(topology -> CardLinks.ofTopology(topology, cards))
                        .orElseGet(CardLinks::ofModels);
        return judged(cards, "npu-smi", links);
    }

    /// What the tool says where a version or chip may not know the question.
    private Optional<String> printed(String... args) {
        return smi.run(args) instanceof NpuSmi.Printed(String text) ? Optional.of(text) : Optional.empty();
    }

    private Discovery judged(List<Card> cards, String source, CardLinks links) {
        String assigned = environment.assigned();
        Optional<SortedSet<Integer>> ours =
                assigned == null || environment.isVirtual() ? Optional.empty() : DeviceIds.assigned(assigned);
        String visible = environment.visible();
        Set<Integer> shown = visible == null ? Set.of() : new HashSet<>(DeviceIds.visible(visible, cards.size()));
        List<Finding> findings = new ArrayList<>();
        for (Card card : cards) {
            String refusal = null;
            if (ours.isPresent() && card.physicalId() != null && !ours.get().contains(card.physicalId())) {
                refusal = "not of this container: ASCEND_VISIBLE_DEVICES is " + assigned;
            } else if (visible != null && !shown.contains(card.logicalId())) {
                refusal = "hidden: ASCEND_RT_VISIBLE_DEVICES is " + visible;
            }
            findings.add(new Finding(card, refusal == null ? fault(card) : refusal));
        }
        return new Discovery(findings, source, links);
    }

    private static @Nullable String fault(Card card) {
        if (card.health() != Health.OK && card.health() != Health.NOT_ASKED) {
            return "unhealthy: " + card.health().word();
        }
        if (!card.processes().isEmpty()) {
            return "occupied by " + String.join(", ", card.processes());
        }
        if (card.usedMegabytes() * 100 > card.totalMegabytes() * OCCUPIED_PERCENT) {
            return "occupied: " + card.usedMegabytes() + " of " + card.totalMegabytes()
                    + " MB are in use, by whom is not seen here";
        }
        return null;
    }

    /// Gives the rows of a table their numbers.
    ///
    /// @param nodes physical ids of the device nodes, ascending; what ACL counts
    private record Numbering(List<SmiTable.Row> rows, SmiMapping mapping, List<Integer> nodes) {

        List<Card> cards() {
            List<Card> cards = new ArrayList<>();
            for (int at = 0; at < rows.size(); at++) {
                cards.add(card(at));
            }
            boolean isCount = cards.stream()
                            .map(Card::logicalId)
                            .filter(id -> id < rows.size())
                            .distinct()
                            .count()
                    == rows.size();
            if (!isCount) {
                // a container that is told its host's numbers: ACL counts what is there
                cards.replaceAll(card -> withLogicalId(card, cards.indexOf(card)));
            }
            cards.sort((a, b) -> Integer.compare(a.logicalId(), b.logicalId()));
            return cards;
        }

        private Card card(int at) {
            SmiTable.Row row = rows.get(at);
            Optional<SmiMapping.Row> mapped = mapping.of(row.npuId(), row.chipId());
            Integer logical = mapped.map(SmiMapping.Row::logicalId).orElse(null);
            if (logical == null && row.secondId() != null && !row.isPhysical()) {
                logical = row.secondId();
            }
            int chips = (int)
                    rows.stream().filter(other -> other.npuId() == row.npuId()).count();
            return new Card(
                    logical == null ? at : logical,
                    physicalId(at, row, mapped, chips),
                    row.npuId(),
                    row.chipId(),
                    chips,
                    row.model(),
                    row.busId(),
                    row.health(),
                    row.usedMegabytes(),
                    row.totalMegabytes(),
                    row.processes());
        }

        private @Nullable Integer physicalId(int at, SmiTable.Row row, Optional<SmiMapping.Row> mapped, int chips) {
            Integer told = mapped.map(SmiMapping.Row::physicalId).orElse(row.isPhysical() ? row.secondId() : null);
            if (told != null) {
                return told;
            }
            if (nodes.size() == rows.size()) {
                return nodes.get(at);
            }
            // with one chip each, cards are numbered as their nodes are; where the table tells the logical id they are
            // not
            return chips == 1 && row.secondId() == null ? row.npuId() : null;
        }

        private static Card withLogicalId(Card card, int logicalId) {
            return new Card(
                    logicalId,
                    card.physicalId(),
                    card.npuId(),
                    card.chipId(),
                    card.chipsOnCard(),
                    card.model(),
                    card.busId(),
                    card.health(),
                    card.usedMegabytes(),
                    card.totalMegabytes(),
                    card.processes());
        }
    }
}
