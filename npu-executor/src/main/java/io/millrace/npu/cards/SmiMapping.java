package io.millrace.npu.cards;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What `npu-smi info -m` says: which number a chip has in which numbering. Management controllers, which
/// the list has too, are left out.
///
/// @param rows one for each chip
record SmiMapping(List<Row> rows) {
    static final SmiMapping NONE = new SmiMapping(List.of());

    /// @param logicalId null where the list has no such column
    /// @param physicalId null where the list has no such column
    record Row(
            int npuId,
            int chipId,
            @Nullable Integer logicalId,
            @Nullable Integer physicalId) {}

    /// Reads the list by the names in its first line; text that is none has no rows.
    static SmiMapping parse(String text) {
        List<String> lines =
                text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        if (lines.isEmpty() || !lines.getFirst().startsWith("NPU ID")) {
            return NONE;
        }
        List<String> names = words(lines.getFirst());
        List<Row> rows = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            row(names, words(line)).ifPresent(rows::add);
        }
        return new SmiMapping(rows);
    }

    /// A name may hold single spaces.
    private static List<String> words(String line) {
        return List.of(line.split("\\s{2,}|\\t"));
    }

    private static Optional<Row> row(List<String> names, List<String> words) {
        Integer npu = number(names, words, "NPU ID");
        Integer chip = number(names, words, "Chip ID");
        Integer logical = number(names, words, "Chip Logic ID");
        Integer physical = number(names, words, "Chip Phy-ID");
        return npu == null || chip == null || (logical == null && physical == null)
                ? Optional.empty()
                : Optional.of(new Row(npu, chip, logical, physical));
    }

    private static @Nullable Integer number(List<String> names, List<String> words, String name) {
        int at = names.indexOf(name);
        return at < 0 || at >= words.size() || !words.get(at).matches("\\d+") ? null : Integer.valueOf(words.get(at));
    }

    Optional<Row> of(int npuId, int chipId) {
        return rows.stream()
                .filter(row -> row.npuId() == npuId && row.chipId() == chipId)
                .findFirst();
    }
}
