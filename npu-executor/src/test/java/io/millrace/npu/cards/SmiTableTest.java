package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Our own samples, one of each layout.
class SmiTableTest {

    @Test
    void parse_cardsOfOneChip() {
        List<SmiTable.Row> rows = SmiTable.parse(Samples.own("four-910b.txt")).rows();

        assertThat(rows)
                .containsExactly(
                        row(0, Health.OK, "0000:C1:00.0", 2800, List.of()),
                        row(1, Health.ALARM, "0000:01:00.0", 2801, List.of()),
                        row(2, Health.OK, "0000:C2:00.0", 9000, List.of("someone (4711)")),
                        row(3, Health.OK, "0000:02:00.0", 2803, List.of()));
    }

    private static SmiTable.Row row(int npu, Health health, String bus, long used, List<String> processes) {
        return new SmiTable.Row(npu, 0, null, false, "910B4", health, bus, used, 32768, processes);
    }

    @Test
    void parse_diesHavePhysicalIds() {
        assertThat(SmiTable.parse(Samples.own("two-dies.txt")).rows())
                .containsExactly(
                        new SmiTable.Row(3, 0, 6, true, "Ascend910", Health.OK, "0000:9D:00.0", 3100, 65536, List.of()),
                        new SmiTable.Row(
                                3, 1, 7, true, "Ascend910", Health.OK, "0000:9F:00.0", 2900, 65536, List.of()));
    }

    @Test
    void parse_chipsOf310_haveLogicalIdsAndMaybeNoBus() {
        assertThat(SmiTable.parse(Samples.own("two-chips-310p.txt")).rows())
                .containsExactly(
                        new SmiTable.Row(64, 0, 1, false, "310P3", Health.OK, null, 1500, 44280, List.of()),
                        new SmiTable.Row(64, 1, 0, false, "310P3", Health.OK, "0000:03:00.0", 1400, 43693, List.of()));
    }

    @Test
    void parse_950_hasNoChipNumbers() {
        assertThat(SmiTable.parse(Samples.own("one-950.txt")).rows())
                .containsExactly(new SmiTable.Row(
                        5,
                        0,
                        null,
                        false,
                        "Ascend950PR",
                        Health.OK,
                        "0000:81:00.0",
                        5413,
                        131072,
                        List.of("unnamed (4712)")));
    }

    @Test
    void parse_anythingElse_hasNoRows() {
        assertThat(SmiTable.parse("").rows()).isEmpty();
        assertThat(SmiTable.parse("|\n||\n| | |\n| 3 | OK\n| 0000:C1:00.0 |").rows())
                .isEmpty();
    }
}
