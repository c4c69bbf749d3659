package io.millrace.npu.cards;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The table that `npu-smi info` prints. Its columns differ by chip and version, and its borders need not
/// be in line with its cells, so cells are told by what is in them, never by where they stand.
///
/// @param rows one for each chip, in the table's order
record SmiTable(List<Row> rows) {

    /// One chip.
    ///
    /// @param secondId what stands beside the chip's number: the physical id where the header says
    ///     `Phy-ID`, the logical id where it says `Device`; null where there is nothing
    /// @param isPhysical whether `secondId` is the physical id
    record Row(
            int npuId,
            int chipId,
            @Nullable Integer secondId,
            boolean isPhysical,
            String model,
            Health health,
            @Nullable String busId,
            long usedMegabytes,
            long totalMegabytes,
            List<String> processes) {}

    private static final Pattern BUS =
            Pattern.compile("[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\\.[0-9A-Fa-f]|NA");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Pattern PAIR = Pattern.compile("(\\d+)\\s*/\\s*(\\d+)");
    private static final Pattern CARD = Pattern.compile("(\\d+)\\s*(.*)");

    /// Reads a table; text that is none has no rows.
    static SmiTable parse(String text) {
        return new Parser().parse(text);
    }

    private static final class Parser {
        private final List<Row> rows = new ArrayList<>();
        /// By `NPU CHIP`, and for chips that are not numbered by `NPU`.
        private final Map<String, List<String>> processes = new LinkedHashMap<>();
        private boolean isPhysical;
        private boolean inProcesses;
        private @Nullable CardRow card;

        SmiTable parse(String text) {
            text.lines().map(String::strip).filter(line -> line.startsWith("|")).forEach(line -> cells(cellsOf(line)));
            return new SmiTable(rows.stream().map(this::withProcesses).toList());
        }

        private static List<String> cellsOf(String line) {
            String inner =
                    line.substring(1, line.endsWith("|") && line.length() > 1 ? line.length() - 1 : line.length());
            List<String> cells = new ArrayList<>();
            for (String cell : inner.split("\\|", -1)) {
                cells.add(cell.strip());
            }
            return cells;
        }

        private void cells(List<String> cells) {
            if (cells.stream().anyMatch(cell -> cell.contains("Process id"))) {
                inProcesses = true;
            } else if (inProcesses) {
                process(cells);
            } else if (cells.getFirst().contains("Phy-ID")) {
                isPhysical = true;
            } else if (CARD.matcher(cells.getFirst()).matches() && healthCell(cells) >= 0) {
                card = CardRow.of(cells, healthCell(cells));
            } else {
                chip(cells);
            }
        }

        private static int healthCell(List<String> cells) {
            for (int at = 0; at < cells.size(); at++) {
                if (Health.ofCell(cells.get(at)).isPresent()) {
                    return at;
                }
            }
            return -1;
        }

        private void chip(List<String> cells) {
            int bus = 0;
            while (bus < cells.size() && !BUS.matcher(cells.get(bus)).matches()) {
                bus++;
            }
            if (card == null || bus + 1 >= cells.size()) {
                return;
            }
            List<Integer> ids = numbers(String.join(" ", cells.subList(0, bus)));
            Optional<MatchResult> memory =
                    PAIR.matcher(cells.get(bus + 1)).results().reduce((_, last) -> last);
            rows.add(new Row(
                    card.npuId(),
                    ids.isEmpty() ? 0 : ids.getFirst(),
                    ids.size() < 2 ? null : ids.get(1),
                    isPhysical,
                    card.model(),
                    card.health(),
                    cells.get(bus).equals("NA") ? null : cells.get(bus),
                    memory.map(pair -> Long.parseLong(pair.group(1))).orElse(0L),
                    memory.map(pair -> Long.parseLong(pair.group(2))).orElse(0L),
                    List.of()));
        }

        /// A row such as `| 0 0 | 2385579 | VLLMWorker_TP | 134 |`; anything else here is a sentence or
        /// another table.
        private void process(List<String> cells) {
            List<Integer> ids = numbers(cells.getFirst());
            if (cells.size() >= 3
                    && !ids.isEmpty()
                    && NUMBER.matcher(cells.get(1)).matches()) {
                String name = cells.get(2).isEmpty() ? "unnamed" : cells.get(2);
                processes
                        .computeIfAbsent(key(ids.getFirst(), ids.size() > 1 ? ids.get(1) : 0), _ -> new ArrayList<>())
                        .add(name + " (" + cells.get(1) + ")");
            }
        }

        private static String key(int npuId, int chipId) {
            return npuId + " " + chipId;
        }

        private Row withProcesses(Row row) {
            return new Row(
                    row.npuId(),
                    row.chipId(),
                    row.secondId(),
                    row.isPhysical(),
                    row.model(),
                    row.health(),
                    row.busId(),
                    row.usedMegabytes(),
                    row.totalMegabytes(),
                    List.copyOf(processes.getOrDefault(key(row.npuId(), row.chipId()), List.of())));
        }

        private static List<Integer> numbers(String text) {
            return NUMBER.matcher(text)
                    .results()
                    .map(MatchResult::group)
                    .map(Integer::valueOf)
                    .toList();
        }
    }

    /// The first of the two rows that a chip has.
    private record CardRow(int npuId, String model, Health health) {
        static CardRow of(List<String> cells, int healthCell) {
            Matcher left = CARD.matcher(String.join(" ", cells.subList(0, healthCell)));
            if (!left.matches()) {
                throw new IllegalArgumentException("card's row: expected a number first, got " + cells);
            }
            return new CardRow(
                    Integer.parseInt(left.group(1)),
                    left.group(2).strip(),
                    Health.ofCell(cells.get(healthCell)).orElseThrow());
        }
    }
}
