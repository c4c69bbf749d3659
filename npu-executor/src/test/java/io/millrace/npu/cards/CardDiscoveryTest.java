package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against a tool that prints files: `info.txt`, `info-m.txt`, `info-t-topo.txt` of its folder.
class CardDiscoveryTest {
    @TempDir
    private Path dir = Path.of("");

    private Path devices = dir;

    @BeforeEach
    void emptyHost() throws IOException {
        devices = Files.createDirectory(dir.resolve("dev"));
    }

    private Discovery find(CardEnvironment environment) {
        Path tool = dir.resolve("npu-smi");
        List<String> places = List.of(dir.resolve("nowhere").toString(), tool.toString());
        return new CardDiscovery(new NpuSmi(places, Duration.ofSeconds(20)), devices, environment).find();
    }

    private void tool(String script) throws IOException {
        Path tool = Files.writeString(dir.resolve("npu-smi"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void prints(String info) throws IOException {
        Files.writeString(dir.resolve("info.txt"), info);
        tool("cd " + dir + "; f=$(echo \"$*\" | sed 's/ -*/-/g').txt; [ -f $f ] || exit 1; cat $f");
    }

    private void nodes(int... physicalIds) throws IOException {
        for (int id : physicalIds) {
            Files.createFile(devices.resolve("davinci" + id));
        }
        Files.createFile(devices.resolve("davinci_manager"));
    }

    private static List<String> usable(Discovery discovery) {
        return discovery.usable().stream().map(Card::address).toList();
    }

    @Test
    void find_unhealthyAndOccupied_areLeftOutWithTheReason() throws IOException {
        prints(Samples.own("four-910b.txt"));

        Discovery discovery = find(CardEnvironment.NONE);

        assertThat(usable(discovery)).containsExactly("0", "3");
        assertThat(discovery.refusals())
                .containsExactly("npu 1: unhealthy: Alarm", "npu 2: occupied by someone (4711)");
    }

    @Test
    void find_memoryInUseByNobodyNamed_isOccupied() throws IOException {
        prints(Samples.own("four-910b.txt"));
        Path info = dir.resolve("info.txt");
        Files.writeString(info, Files.readString(info).replace("4711 ", "NA   "));

        assertThat(find(CardEnvironment.NONE).refusals())
                .contains("npu 2: occupied: 9000 of 32768 MB are in use, by whom is not seen here");
    }

    @Test
    void find_numbers_ofDies() throws IOException {
        prints(Samples.own("two-dies.txt"));
        nodes(6, 7);

        assertThat(find(CardEnvironment.NONE).usable())
                .extracting(Card::logicalId, Card::physicalId, Card::npuId, Card::chipId, Card::chipsOnCard)
                .containsExactly(tuple(0, 6, 3, 0, 2), tuple(1, 7, 3, 1, 2));
    }

    @Test
    void find_numbers_fromTheMapping() throws IOException {
        prints(Samples.own("four-910b.txt"));
        Files.writeString(dir.resolve("info-m.txt"), """
                \tNPU ID                         Chip ID                        Chip Logic ID                  Chip Name
                \t0                              0                              3                              Ascend 910B4
                \t0                              1                              -                              Mcu
                \t1                              0                              2                              Ascend 910B4
                \t2                              0                              1                              Ascend 910B4
                \t3                              0                              0                              Ascend 910B4
                """);

        assertThat(find(CardEnvironment.NONE).usable())
                .extracting(Card::logicalId, Card::npuId)
                .containsExactly(tuple(0, 3), tuple(3, 0));
    }

    @Test
    void find_logicalIdsOfTheTable_order310() throws IOException {
        prints(Samples.own("two-chips-310p.txt"));

        assertThat(find(CardEnvironment.NONE).usable())
                .extracting(Card::logicalId, Card::chipId)
                .containsExactly(tuple(0, 1), tuple(1, 0));
    }

    /// In a container cards keep their host's names, and ACL counts from 0.
    @Test
    void find_containerWithTheHostsNumbers_countsWhatIsThere() throws IOException {
        prints(Samples.own("one-950.txt"));
        Path info = dir.resolve("info.txt");
        Files.writeString(info, Files.readString(info).split("\\| NPU ID +\\| Process")[0]);
        nodes(5);

        Discovery discovery = find(new CardEnvironment(null, "5", null));

        assertThat(discovery.usable())
                .extracting(Card::logicalId, Card::physicalId)
                .containsExactly(tuple(0, 5));
    }

    @Test
    void find_environment_hidesCards() throws IOException {
        prints(Samples.own("four-910b.txt"));

        assertThat(usable(find(new CardEnvironment("0,1", null, null)))).containsExactly("0");
        assertThat(find(new CardEnvironment("0,1", null, null)).refusals())
                .contains("npu 3: hidden: ASCEND_RT_VISIBLE_DEVICES is 0,1");
        assertThat(usable(find(new CardEnvironment("3,0", null, null)))).isEmpty();
        assertThat(usable(find(new CardEnvironment(null, "Ascend910-3", null)))).containsExactly("3");
        assertThat(find(new CardEnvironment(null, "Ascend910-3", null)).refusals())
                .contains("npu 0: not of this container: ASCEND_VISIBLE_DEVICES is Ascend910-3");
        assertThat(usable(find(new CardEnvironment(null, "100", "NODRV,VIRTUAL"))))
                .containsExactly("0", "3");
    }

    @Test
    void find_withoutTool_countsNodes() throws IOException {
        nodes(3, 12, 5);

        Discovery discovery = find(new CardEnvironment(null, "3,12", null));

        assertThat(discovery.usable())
                .extracting(Card::logicalId, Card::physicalId)
                .containsExactly(tuple(0, 3), tuple(2, 12));
        assertThat(discovery.source()).endsWith("davinci*, since there is no npu-smi");
    }

    @Test
    void find_nothing_saysWhereItLooked() {
        assertThat(find(CardEnvironment.NONE).source()).isEqualTo("no npu-smi, and no " + devices + "/davinci*");
        assertThat(find(new CardEnvironment(null, "0-1", null)).source())
                .endsWith("although ASCEND_VISIBLE_DEVICES is 0-1: the container was not started by Ascend's runtime");
    }

    /// A tool that is there and fails is a host whose cards do not work, whatever nodes it has.
    @ParameterizedTest
    @CsvSource({
        "187, dcmi module initialize failed. ret is -8005",
        "172, 'dcmi model initialized failed, because the device is used. ret is -8020'"
    })
    void find_failingTool_offersNothing(int code, String text) throws IOException {
        nodes(0);
        tool("echo '" + text + "'; exit " + code);

        Discovery discovery = find(CardEnvironment.NONE);

        assertThat(discovery.findings()).isEmpty();
        assertThat(discovery.source()).endsWith("npu-smi info: exit code " + code + ": " + text);
    }

    @Test
    void find_toolWithoutCards_saysWhatItSaid() throws IOException {
        tool("echo 'There is no NPU card on this server.'");

        assertThat(find(CardEnvironment.NONE).source())
                .isEqualTo("npu-smi info: expected a table of cards, got: There is no NPU card on this server.");
    }

    @Test
    void find_toolThatHangs_isGivenUp() throws IOException {
        tool("exec sleep 600");
        NpuSmi smi = new NpuSmi(List.of(dir.resolve("npu-smi").toString()), Duration.ofMillis(100));

        assertThat(new CardDiscovery(smi, devices, CardEnvironment.NONE).find().source())
                .contains("expected an answer within 0 s, got none");
    }

    @Test
    void find_topology_isAsked() throws IOException {
        prints(Samples.own("two-dies.txt"));
        Files.writeString(dir.resolve("info-t-topo.txt"), """
                \t   Phy-ID6    Phy-ID7    CPU Affinity
                Phy-ID6    X          SYS        0-23
                Phy-ID7    SYS        X          0-23
                """);
        Discovery apart = find(CardEnvironment.NONE);
        List<Card> dies = apart.usable();

        assertThat(apart.links().areFast(dies.get(0), dies.get(1))).isFalse();
        Files.writeString(
                dir.resolve("info-t-topo.txt"),
                Files.readString(dir.resolve("info-t-topo.txt")).replace("SYS", "SIO"));
        assertThat(find(CardEnvironment.NONE).links().areFast(dies.get(0), dies.get(1)))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "910b3-8cards-wide-26.1.0.txt, '1,2,3,4,5,6,7'",
        "910b2-one-warning-25.2.0.txt, ''",
        "950pr-3cards-two-alarm-25.7.rc1.txt, 2",
        "310p3-2cards-2chips-25.2.0.txt, '0,1,2,3'",
        "a3-16dies-idle-25.2.1.txt, '0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15'"
    })
    void find_sampleOfARealMachine(String file, String addresses) throws IOException {
        prints(Samples.read(Samples.shared(file)));

        assertThat(String.join(",", usable(find(CardEnvironment.NONE)))).isEqualTo(addresses);
    }
}
