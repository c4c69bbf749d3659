package io.millrace.npu.cards;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The two environment variables that choose cards, which stack: the container's chooses which nodes there
/// are, CANN's filters inside that view.
final class DeviceIds {
    private static final Pattern RANGE = Pattern.compile("(\\d+)-(\\d+)");
    private static final Pattern NAMED = Pattern.compile("(?:Ascend[0-9A-Z]+|npu)-(\\d+)");
    private static final int MOST = 128;

    private DeviceIds() {}

    /// `ASCEND_RT_VISIBLE_DEVICES` as CANN reads it: numbers up to the first token that is none or too
    /// large; ascending, or none at all.
    ///
    /// @param count how many cards there are
    /// @return logical ids; empty where CANN finds no device
    static List<Integer> visible(String value, int count) {
        List<Integer> ids = new ArrayList<>();
        for (String token : value.split(",", -1)) {
            if (!token.matches("\\d{1,9}") || Integer.parseInt(token) >= count) {
                break;
            }
            int id = Integer.parseInt(token);
            if (!ids.isEmpty() && id <= ids.getLast()) {
                return List.of();
            }
            ids.add(id);
        }
        return ids;
    }

    /// `ASCEND_VISIBLE_DEVICES` as the container runtime reads it and the Kubernetes device plugin writes
    /// it: `0,2`, `0-3`, `0-2,4`, `Ascend910-0,Ascend910-1`, `npu-1,npu-3`.
    ///
    /// @return physical ids; none for `void` or nothing; empty if it is neither
    static Optional<SortedSet<Integer>> assigned(String value) {
        SortedSet<Integer> ids = new TreeSet<>();
        if (value.isBlank() || value.strip().equals("void")) {
            return Optional.of(ids);
        }
        for (String token : value.split(",", -1)) {
            Matcher range = RANGE.matcher(token.strip());
            Matcher named = NAMED.matcher(token.strip());
            if (range.matches()) {
                int last = Math.min(Integer.parseInt(range.group(2)), Integer.parseInt(range.group(1)) + MOST);
                for (int id = Integer.parseInt(range.group(1)); id <= last; id++) {
                    ids.add(id);
                }
            } else if (named.matches()) {
                ids.add(Integer.valueOf(named.group(1)));
            } else if (token.strip().matches("\\d{1,9}")) {
                ids.add(Integer.valueOf(token.strip()));
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(ids);
    }
}
