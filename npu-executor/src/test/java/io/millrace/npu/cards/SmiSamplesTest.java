package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What real machines printed, and what vendors print in their documents.
class SmiSamplesTest {

    /// The columns after the file: how many chips; of the last one NPU id, chip, second id, model, health,
    /// bus, memory used and whole, processes on all.
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "310b-1card-24.1.rc2.txt, 1, 0, 0, 0, 310B, OK, -, 1003, 10810, 0",
                "310b-style-na-bus-doc.txt, 1, 0, 0, 0, xxx, OK, -, 957, 10810, 0",
                "310p3-2cards-25.5.1.txt, 2, 5, 0, 1, 310P3, OK, 0000:85:00.0, 1849, 21525, 0",
                "310p3-2cards-2chips-25.2.0.txt, 4, 32832, 1, 3, 310P3, OK, 0000:83:00.0, 1308, 43693, 0",
                "910-warning-card-elided-23.0.5.txt, 2, 7, 0, -, xxx, OK, 0000:3D:00.0, 0, 32768, 0",
                "910a-8cards-busy-23.0.rc3-doc.txt, 8, 7, 0, -, xxx, OK, 0000:02:00.0, 30710, 32768, 8",
                "910b2-one-warning-25.2.0.txt, 2, 1, 0, -, 910B2, WARNING, 0000:01:00.0, 4096, 65536, 2",
                "910b3-2visible-of-8-25.5.1.txt, 2, 5, 0, -, 910B3, OK, 0000:02:00.0, 60156, 65536, 1",
                "910b3-8cards-wide-26.1.0.txt, 8, 7, 0, -, 910B3, OK, 0000:42:00.0, 3403, 65536, 1",
                "910b4-4cards-busy-24.1.rc3.txt, 4, 3, 0, -, 910B4, OK, 0000:02:00.0, 29986, 32768, 7",
                "950pr-2cards-alarm-narrow-25.7.rc1.7.txt, 2, 1, 0, -, Ascend950PR, ALARM, 0000:61:00.0, 10769, 131072, 1",
                "950pr-3cards-two-alarm-25.7.rc1.txt, 3, 2, 0, -, Ascend950PR, OK, 0000:81:00.0, 5413, 131072, 2",
                "a3-16dies-idle-25.2.1.txt, 16, 7, 1, 15, Ascend910, OK, -, -1, 65536, 0",
            })
    void table_ofEachSample(
            String file,
            int chips,
            int npuId,
            int chipId,
            Integer secondId,
            String model,
            Health health,
            String bus,
            long used,
            long total,
            int processes) {
        List<SmiTable.Row> rows =
                SmiTable.parse(Samples.read(Samples.shared(file))).rows();

        assertThat(rows).hasSize(chips);
        SmiTable.Row last = rows.getLast();
        assertThat(last.npuId()).isEqualTo(npuId);
        assertThat(last.chipId()).isEqualTo(chipId);
        assertThat(last.secondId()).isEqualTo(secondId);
        assertThat(last.isPhysical()).isEqualTo(file.startsWith("a3"));
        assertThat(last.model()).isEqualTo(model);
        assertThat(last.health()).isEqualTo(health);
        if (used >= 0) {
            assertThat(last.busId()).isEqualTo(bus);
            assertThat(last.usedMegabytes()).isEqualTo(used);
        }
        assertThat(last.totalMegabytes()).isEqualTo(total);
        assertThat(rows.stream().mapToInt(row -> row.processes().size()).sum()).isEqualTo(processes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "310-info-l-22.0.4.txt",
                "310p-duo-info-t-board-25.5.1.txt",
                "310p-duo-info-t-health-25.5.1.txt",
                "310p-duo-info-t-usages-excerpt-25.5.1.txt",
                "910b-info-t-usages.txt",
                "910b3-info-m-25.5.1.txt",
                "950-info-l-doc.txt",
                "950-info-m-doc.txt",
                "950-info-t-usages-doc.txt",
                "950-info-watch-doc.txt",
                "a3-info-l-excerpt.txt",
                "a3-info-m.txt",
                "err-command-not-found.rc127.stderr.txt",
                "err-dcmi-8005.rc187.stdout.txt",
                "err-no-card.stdout.txt",
                "err-occupied-8020.stdout.txt"
            })
    void table_ofWhatIsNone_hasNoRows(String file) {
        assertThat(SmiTable.parse(Samples.read(Samples.shared(file))).rows()).isEmpty();
    }

    @Test
    void mapping_of910b_leavesControllersOut() {
        assertThat(SmiMapping.parse(Samples.read(Samples.shared("910b3-info-m-25.5.1.txt")))
                        .rows())
                .containsExactly(new SmiMapping.Row(0, 0, 0, null), new SmiMapping.Row(1, 0, 1, null));
    }

    @Test
    void mapping_ofA3_hasBothNumbers() {
        assertThat(SmiMapping.parse(Samples.read(Samples.shared("a3-info-m.txt")))
                        .rows())
                .containsExactly(
                        new SmiMapping.Row(0, 0, 0, 0), new SmiMapping.Row(0, 1, 1, 1), new SmiMapping.Row(1, 0, 2, 2));
    }

    @Test
    void mapping_of950_hasThePhysicalNumberOnly() {
        assertThat(SmiMapping.parse(Samples.read(Samples.shared("950-info-m-doc.txt")))
                        .rows())
                .containsExactly(new SmiMapping.Row(0, 0, null, 0));
    }

    @Test
    void mapping_ofAnError_isNone() {
        assertThat(SmiMapping.parse(Samples.read(Samples.shared("err-no-card.stdout.txt")))
                        .rows())
                .isEmpty();
    }
}
