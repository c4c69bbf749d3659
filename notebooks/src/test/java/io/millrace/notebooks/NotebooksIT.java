package io.millrace.notebooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The notebooks, executed from scratch by Jupyter, in their order: the first makes the run that the others
/// look at.
class NotebooksIT {
    private static final List<String> ORDER =
            List.of("first-run.ipynb", "inspect-a-run.ipynb", "compare-two-models.ipynb");
    private static final Path HERE = Path.of("").toAbsolutePath();

    private static final int FIRST_SERIES = Charts.COLORS[0].getRGB();

    @TempDir
    private Path dir = Path.of("");

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void notebooks_executed_showWhatTheySay() throws IOException, InterruptedException {
        assumeTrue(hasNbconvert(), "no jupyter-nbconvert on the path");
        for (String name : ORDER) {
            Files.copy(HERE.resolve(name), dir.resolve(name));
        }

        execute();

        List<NotebookFile> executed =
                ORDER.stream().map(name -> NotebookFile.read(dir.resolve(name))).toList();
        assertThat(executed)
                .allSatisfy(notebook -> assertThat(notebook.errors()).isEmpty());
        assertThat(executed.get(0).words()).contains("rows in            24", "PROMPT_TOO_LONG", "<td ");
        assertThat(executed.get(1).words())
                .containsPattern("24 rows, \\d+ of them answered")
                .doesNotContain("rows in");
        assertThat(executed.get(2).words()).contains("24 rows, of which", "95 % within");
        assertThat(executed).extracting(notebook -> notebook.pictures().size()).containsExactly(0, 4, 2);
        assertThat(executed.stream().flatMap(notebook -> notebook.pictures().stream()))
                .allSatisfy(picture -> assertThat(drawn(picture)).isGreaterThan(100));
    }

    private static boolean hasNbconvert() {
        return Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "jupyter-nbconvert")));
    }

    private void execute() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(HERE.resolve("jupyter").toString(), "nbconvert"));
        command.addAll(List.of("--to", "notebook", "--execute", "--inplace"));
        command.add("--ExecutePreprocessor.startup_timeout=600");
        command.addAll(ORDER);
        ProcessBuilder builder = new ProcessBuilder(command).directory(dir.toFile());
        builder.environment().put("MILLRACE_JAVA_OPTS", "-XX:+UseSerialGC -Xmx2g");
        Path log = dir.resolve("jupyter.log");
        Process jupyter =
                builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            assertThat(jupyter.waitFor()).as(() -> said(log)).isZero();
        } finally {
            jupyter.descendants().forEach(ProcessHandle::destroy);
            jupyter.destroy();
        }
    }

    private static String said(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    /// How many pixels have the colour of the first series.
    private static long drawn(byte[] png) throws IOException {
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        return Arrays.stream(pixels).filter(pixel -> pixel == FIRST_SERIES).count();
    }
}
