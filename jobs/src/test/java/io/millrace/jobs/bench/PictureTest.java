package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureTest {
    @TempDir
    private Path dir;

    private static Results results() throws IOException {
        Results results = Results.open(null);
        results.facts(Facts.MODEL)
                .put(Facts.BODY_OPERATIONS, 400_000_000)
                .put(Facts.DENSE_BYTES, 50_000_000)
                .put(Facts.EXPERT_BYTES, 600_000_000)
                .put(Facts.EXPERTS, 64)
                .put(Facts.CHOSEN, 8);
        results.addCeiling("memory", 20e9);
        results.addCeiling("int8", 1e12);
        return results;
    }

    @Test
    void draw_withBatches_isAPicture() throws IOException {
        Results results = results();
        results.addRate(new Work(1), Bars.OURS, "", 20);
        results.addRate(new Work(64), Bars.OURS, "", 300);
        results.addRate(new Work(1), "peer", "", 25);
        results.addFailure(new Work(64), "peer", "", "no");
        results.addRate(Work.PREFILL, "peer", "", 80);
        Path file = dir.resolve("picture.png");
        Picture.draw(results, file);
        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getWidth()).isGreaterThan(image.getHeight());
        assertThat(colors(image)).as("colours beside black, white and grey").isGreaterThan(2);
    }

    private static long colors(BufferedImage image) {
        return java.util.stream.IntStream.range(0, image.getWidth() * image.getHeight())
                .map(i -> image.getRGB(i % image.getWidth(), i / image.getWidth()))
                .distinct()
                .filter(rgb -> Math.abs((rgb >> 16 & 255) - (rgb & 255)) > 100)
                .count();
    }

    @Test
    void draw_withoutBatches_isNone() throws IOException {
        Path file = dir.resolve("picture.png");
        Picture.draw(results(), file);
        assertThat(file).doesNotExist();
    }
}
