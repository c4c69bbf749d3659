package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Processes that want the same four cards at once, one of which is killed while it holds some.
class LeasesOfProcessesTest {
    private static final int PROCESSES = 4;
    private static final int LEASES_EACH = 50;

    @TempDir
    private Path dir = Path.of("");

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void twoHundredLeases_noneIsDouble() throws IOException, InterruptedException {
        Files.createDirectory(dir.resolve("marks"));
        Process killed = start(0);
        assertThat(killed.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("holds 0");
        List<Process> takers = new ArrayList<>();
        for (int at = 0; at < PROCESSES; at++) {
            takers.add(start(LEASES_EACH));
        }
        assertThat(takers.getFirst().inputReader(StandardCharsets.UTF_8).readLine())
                .startsWith("holds ")
                .isNotEqualTo("holds 0");
        killed.destroyForcibly().waitFor();

        int leases = 1;
        for (Process taker : takers) {
            leases += (int) taker.inputReader(StandardCharsets.UTF_8).lines().count();
            assertThat(taker.waitFor()).as("3: a card was held twice").isZero();
        }
        assertThat(leases).isEqualTo(PROCESSES * LEASES_EACH);
        CardLeases after = new CardLeases(dir.resolve("locks"));
        assertThat(after.owners()).isEmpty();
        assertThat(CardLeasesTest.take(after, "run", 4)).isPresent();
    }

    private Process start(int times) throws IOException {
        String surefire = System.getProperty("surefire.test.class.path");
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        surefire != null ? surefire : System.getProperty("java.class.path"),
                        LeaseTaker.class.getName(),
                        dir.resolve("locks").toString(),
                        dir.resolve("marks").toString(),
                        Integer.toString(times))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
