package io.millrace.npu.cards;

import java.util.Arrays;
import java.util.Optional;

/// What `npu-smi` says of a chip.
public enum Health {
    OK("OK"),
    WARNING("Warning"),
    ALARM("Alarm"),
    CRITICAL("Critical"),
    UNKNOWN("UNKNOWN"),
    /// Nobody was asked: there is no `npu-smi`, only the chip's device node.
    NOT_ASKED("not asked");

    private final String word;

    Health(String word) {
        this.word = word;
    }

    /// The word of the table.
    public String word() {
        return word;
    }

    /// The health that a cell of the table is, if it is one.
    static Optional<Health> ofCell(String cell) {
        return Arrays.stream(values())
                .filter(health -> health != NOT_ASKED && health.word.equals(cell))
                .findFirst();
    }
}
