package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CardLeasesTest {
    private static final List<Card> CARDS = cards(4);

    @TempDir
    private Path dir = Path.of("");

    private CardLeases leases = new CardLeases(dir);

    @BeforeEach
    void folder() {
        leases = new CardLeases(dir.resolve("locks"));
    }

    static List<Card> cards(int count) {
        return IntStream.range(0, count)
                .mapToObj(id -> new Card(id, id, id, 0, 1, "910B4", null, Health.OK, 0, 1, List.of()))
                .toList();
    }

    static Optional<HeldCards> take(CardLeases leases, String run, int size) {
        CardGroups groups = new CardGroups(CardLinks.ofModels());
        return leases.take(CARDS, run, "a test", free -> groups.choose(free, size));
    }

    private static List<Integer> ids(Optional<HeldCards> held) {
        return held.orElseThrow().cards().stream().map(Card::logicalId).toList();
    }

    @Test
    void take_cardsAreDistinctUntilGivenBack() {
        Optional<HeldCards> first = take(leases, "run", 2);
        Optional<HeldCards> second = take(leases, "run", 2);

        assertThat(ids(first)).containsExactly(0, 1);
        assertThat(ids(second)).containsExactly(2, 3);
        assertThat(take(leases, "run", 1)).isEmpty();
        first.orElseThrow().close();
        first.orElseThrow().close();
        assertThat(take(leases, "run", 4)).isEmpty();
        assertThat(ids(take(leases, "run", 2))).containsExactly(0, 1);
    }

    @Test
    void owners_sayWhoAndSinceWhen() {
        Instant before = Instant.now();
        assertThat(leases.owners()).isEmpty();
        assertThat(ids(take(leases, "app-1", 1))).containsExactly(0);

        CardOwner owner = leases.owners().get(0);
        assertThat(owner.pid()).isEqualTo(ProcessHandle.current().pid());
        assertThat(owner.started())
                .isEqualTo(ProcessHandle.current().info().startInstant().orElseThrow());
        assertThat(owner.run()).isEqualTo("app-1");
        assertThat(owner.since()).isBetween(before, Instant.now());
    }

    @Test
    void take_lockOfAProcessThatIsGone_isReclaimed() throws IOException, InterruptedException {
        Process gone = new ProcessBuilder("true").start();
        assertThat(gone.waitFor()).isZero();
        lock(0, gone.pid(), Instant.now());

        assertThat(leases.owners()).isEmpty();
        assertThat(ids(take(leases, "run", 4))).containsExactly(0, 1, 2, 3);
    }

    /// The number of a process that is gone may be that of another by now.
    @Test
    void take_lockOfAnotherProcessOfThatNumber_isReclaimed() throws IOException {
        Instant start = ProcessHandle.current().info().startInstant().orElseThrow();
        lock(0, ProcessHandle.current().pid(), start.minusSeconds(60));
        lock(1, ProcessHandle.current().pid(), start);

        assertThat(leases.owners()).containsOnlyKeys(1);
        assertThat(ids(take(leases, "run", 1))).containsExactly(0);
    }

    private void lock(int card, long pid, Instant started) throws IOException {
        CardOwner owner = new CardOwner(pid, started, Instant.now(), "run", "executor 1");
        Path folder = Files.createDirectories(dir.resolve("locks"));
        try (var writer = Files.newBufferedWriter(folder.resolve("npu-" + card + ".lock"))) {
            owner.properties().store(writer, null);
        }
    }

    @Test
    void take_lockThatCannotBeRead_stops() throws IOException {
        Path lock = Files.createDirectories(dir.resolve("locks")).resolve("npu-0.lock");
        Files.writeString(lock, "pid=some");

        assertThatThrownBy(() -> take(leases, "run", 1))
                .isInstanceOf(CardLeaseException.class)
                .hasMessageContaining(lock + ": expected what a process writes there");
    }

    @Test
    void retire_cardIsNotTakenAgainInThatRun() {
        HeldCards held = take(leases, "run", 1).orElseThrow();
        held.retire(CardFault.ECC, "error 507053");

        assertThat(leases.owners())
                .as("until the process has ended it may hang on the card")
                .containsOnlyKeys(0);
        held.close();
        assertThat(ids(take(leases, "run", 2))).containsExactly(2, 3);
        assertThat(ids(take(leases, "another run", 1))).containsExactly(0);
        assertThat(leases.retirements())
                .extracting(
                        CardLeases.Retirement::card,
                        CardLeases.Retirement::run,
                        CardLeases.Retirement::fault,
                        CardLeases.Retirement::reason)
                .containsExactly(tuple(0, "run", CardFault.ECC, "error 507053"));
    }
}
