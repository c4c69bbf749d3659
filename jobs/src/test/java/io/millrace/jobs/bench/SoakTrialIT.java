package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SoakTrialIT {
    @TempDir
    private Path dir = Path.of("");

    @Test
    void run_onePass_writesWhatWasHeld() throws IOException {
        assumeTrue(Files.exists(Path.of("/proc/self/status")), "needs /proc of Linux");
        Path model = Path.of("../engine/models/synopsis-v4").toAbsolutePath().normalize();

        ObjectNode figures = new SoakTrial(model, 4, 1, Duration.ZERO, dir).run();

        assertThat(figures.path("passes").asInt()).isEqualTo(1);
        for (String sign : List.of("resident_mib", "heap_mib", "threads", "files", "mappings")) {
            assertThat(figures.path(sign).path("at_last").asDouble()).as(sign).isPositive();
        }
        List<String> looks = Files.readAllLines(dir.resolve("soak.csv"));
        assertThat(looks).hasSize(1 + figures.path("looks").asInt()).hasSizeGreaterThan(2);
        assertThat(looks.getFirst()).isEqualTo(VitalSigns.csvHead());
        assertThat(looks).allMatch(look -> look.split(",", -1).length == 2 + VitalSigns.ALL.size());
        assertThat(ImageIO.read(dir.resolve("soak.png").toFile()).getWidth()).isPositive();
    }
}
