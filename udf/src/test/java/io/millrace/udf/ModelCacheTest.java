package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Copies a model of a file system that writes down what is read of it, in this process and in several.
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ModelCacheTest {
    private static final int WEIGHTS = 400_000;

    @TempDir
    private Path dir = Path.of("");

    private Path model = dir;
    private Path cache = dir;
    private Path log = dir;
    private Configuration hadoop = new Configuration(false);

    @BeforeEach
    void writeModel() throws IOException {
        model = Files.createDirectories(dir.resolve("hub/models--org--tiny/snapshots/abc123"));
        Files.writeString(model.resolve("config.json"), "{}");
        byte[] weights = new byte[WEIGHTS];
        for (int at = 0; at < weights.length; at++) {
            weights[at] = (byte) (at * 31 >> 3);
        }
        Files.write(model.resolve("model.safetensors"), weights);
        Files.createDirectory(model.resolve("original"));
        cache = dir.resolve("cache");
        log = dir.resolve("read.log");
        hadoop = MeteredFileSystem.configuration(log);
    }

    private Path local() {
        return ModelCache.local(MeteredFileSystem.uri(model), cache, hadoop);
    }

    /// Lines `PROCESS NAME BYTES`.
    private List<String> reads() throws IOException {
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    private static void assertSameFiles(Path copy, Path model) throws IOException {
        for (String name : List.of("config.json", "model.safetensors")) {
            assertThat(copy.resolve(name)).hasSameBinaryContentAs(model.resolve(name));
        }
    }

    /// Nothing but whole copies and locks.
    private List<String> cached() throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.map(file -> file.getFileName().toString().replaceFirst("\\w{32}", "ID"))
                    .sorted()
                    .toList();
        }
    }

    private void assertRefused(ErrorCode code, String... says) {
        assertThatThrownBy(this::local)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContainingAll(says);
    }

    @Test
    void local_pathsOfThisHost_stayWhereTheyAre() {
        assertThat(ModelCache.local("/models/V4", cache, hadoop)).isEqualTo(Path.of("/models/V4"));
        assertThat(ModelCache.local("models/V4", cache, hadoop)).isEqualTo(Path.of("models/V4"));
        assertThat(ModelCache.local("file:/models/V4", cache, hadoop)).isEqualTo(Path.of("/models/V4"));
        assertThat(ModelCache.local("file:///models/a b", cache, hadoop)).isEqualTo(Path.of("/models/a b"));
        assertThat(cache).doesNotExist();
    }

    @Test
    void local_folder_isCopiedOnceWithItsSums() throws IOException, InterruptedException {
        Path copy = local();

        assertThat(copy).startsWith(cache).endsWith(Path.of("models--org--tiny/snapshots/abc123"));
        assertSameFiles(copy, model);
        assertThat(new ProcessBuilder("sha256sum", "--check", "--quiet", "SHA256SUMS")
                        .directory(copy.toFile())
                        .start()
                        .waitFor())
                .isZero();
        assertThat(reads())
                .extracting(line -> line.split(" ", 2)[1])
                .containsExactly("config.json 2", "model.safetensors " + WEIGHTS);
        assertThat(local()).isEqualTo(copy);
        assertThat(reads()).hasSize(2);
        assertThat(cached()).containsExactly("ID", "ID.lock");
    }

    @Test
    void local_modelThatChanged_isAnother() throws IOException {
        Path copy = local();
        Files.setLastModifiedTime(model.resolve("config.json"), FileTime.fromMillis(1_000_000_000_000L));

        assertThat(local()).isNotEqualTo(copy);
        assertThat(copy).exists();
    }

    @Test
    void local_copyOfAnotherLength_isMadeAnew() throws IOException {
        Path copy = local();
        Files.write(copy.resolve("model.safetensors"), new byte[7]);

        assertThat(local()).isEqualTo(copy);
        assertSameFiles(copy, model);
    }

    @Test
    void local_ggufInParts_comesWithItsParts() throws IOException {
        for (String name : List.of("a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b.gguf")) {
            Files.writeString(model.resolve(name), name);
        }

        Path first = ModelCache.local(MeteredFileSystem.uri(model.resolve("a-00001-of-00002.gguf")), cache, hadoop);
        Path other = ModelCache.local(MeteredFileSystem.uri(model.resolve("b.gguf")), cache, hadoop);

        assertThat(first).hasContent("a-00001-of-00002.gguf");
        assertThat(first.resolveSibling("a-00002-of-00002.gguf")).hasContent("a-00002-of-00002.gguf");
        assertThat(first.resolveSibling("b.gguf")).doesNotExist();
        assertThat(other).hasContent("b.gguf");
        assertThat(other.resolveSibling("a-00001-of-00002.gguf")).doesNotExist();
    }

    @Test
    void local_readThatBreaksOff_isSaidAndLeavesNothing() throws IOException {
        hadoop.setLong(MeteredFileSystem.FAIL_AFTER, 5000);
        assertRefused(
                ErrorCode.MODEL_UNREADABLE,
                MeteredFileSystem.uri(model.resolve("model.safetensors")),
                "expected to be readable, got",
                "connection reset as asked");
        assertThat(cached()).containsExactly("ID.lock");

        hadoop.unset(MeteredFileSystem.FAIL_AFTER);
        assertSameFiles(local(), model);
    }

    @Test
    void local_fileThatIsShorterThanPromised_isNotWhole() throws IOException {
        hadoop.setLong(MeteredFileSystem.PROMISED_BYTES, 10);
        assertRefused(
                ErrorCode.MODEL_UNREADABLE, "config.json: expected 12 bytes, got 2: truncated, or still being copied");
        assertThat(cached()).containsExactly("ID.lock");
    }

    @Test
    void local_modelThatIsBeingCopiedThere_isRefused() throws IOException {
        Files.createFile(model.resolve("model-00002-of-00002.safetensors._COPYING_"));
        assertRefused(
                ErrorCode.MODEL_UNREADABLE,
                MeteredFileSystem.uri(model),
                "whole files, got model-00002-of-00002.safetensors._COPYING_: still being copied");
    }

    @Test
    void local_noSuchModel_saysSo() {
        model = dir.resolve("none");
        assertRefused(ErrorCode.MODEL_UNREADABLE, MeteredFileSystem.uri(model), "expected a model, got nothing there");
    }

    @Test
    void local_noSuchFileSystem_saysSo() {
        assertThatThrownBy(() -> ModelCache.local("gopher://host/model", cache, hadoop))
                .hasMessageContainingAll("gopher://host/model: expected to be readable", "gopher");
    }

    @Test
    void local_noRoom_isSaidBeforeAnythingIsRead() throws IOException {
        hadoop.setLong(MeteredFileSystem.PROMISED_BYTES, 1L << 60);
        assertRefused(
                ErrorCode.MODEL_NOT_STAGED,
                cache + " (engine.model-cache): expected ",
                "bytes of room, got ",
                MeteredFileSystem.uri(model));
        assertThat(reads()).isEmpty();
    }

    @Test
    void local_cacheThatIsNoFolder_isSaid() throws IOException {
        Files.createFile(cache);
        assertRefused(ErrorCode.MODEL_NOT_STAGED, cache.toString(), "expected to be writable, got ");
    }

    // ---- several processes ----

    /// A process that wants the model, told where it is; what it says goes to `NAME.log`.
    private Process start(String name, List<String> prefix, String... conf) throws IOException {
        Path log4j = Files.writeString(dir.resolve("log4j2.properties"), """
                appenders = console
                appender.console.type = Console
                appender.console.name = console
                appender.console.layout.type = PatternLayout
                rootLogger.level = info
                rootLogger.appenderRef.console.ref = console
                """);
        String surefire = System.getProperty("surefire.test.class.path");
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:TieredStopAtLevel=1",
                "-Dlog4j2.configurationFile=" + log4j,
                "-cp",
                surefire != null ? surefire : System.getProperty("java.class.path"),
                Executor.class.getName(),
                MeteredFileSystem.uri(model),
                cache.toString(),
                log.toString()));
        command.addAll(List.of(conf));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve(name + ".log").toFile())
                .start();
    }

    /// What wants the model: model, cache and log, then keys and values.
    static final class Executor {
        private Executor() {}

        public static void main(String[] args) {
            Configuration conf = MeteredFileSystem.configuration(Path.of(args[2]));
            for (int at = 3; at < args.length; at += 2) {
                conf.set(args[at], args[at + 1]);
            }
            System.out.println("copy: " + ModelCache.local(args[0], Path.of(args[1]), conf));
        }
    }

    private String said(String name) {
        try {
            return Files.readString(dir.resolve(name + ".log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void await(BooleanSupplier holds) {
        while (!holds.getAsBoolean()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    @Test
    void twoProcesses_oneCopiesAndTheOtherWaits() throws IOException, InterruptedException {
        Path mark = dir.resolve("mark");
        Process first = start("first", List.of(), MeteredFileSystem.STAND_STILL, mark.toString());
        await(() -> Files.exists(mark) || !first.isAlive());
        Process second = start("second", List.of());
        await(() -> said("second").contains("another process copies it") || !second.isAlive());
        assertThat(second.isAlive()).as(() -> said("second")).isTrue();
        Files.delete(mark);

        assertThat(first.waitFor()).as(() -> said("first")).isZero();
        assertThat(second.waitFor()).as(() -> said("second")).isZero();
        Path copy = local();
        assertSameFiles(copy, model);
        assertThat(said("first")).contains("copy: " + copy);
        assertThat(said("second")).contains("copy: " + copy);
        assertThat(reads()).hasSize(2).allMatch(line -> line.startsWith(first.pid() + " "));
    }

    @Test
    void copierThatIsKilled_leavesTheLockToTheNext() throws IOException, InterruptedException {
        Path mark = dir.resolve("mark");
        Process first = start("first", List.of(), MeteredFileSystem.STAND_STILL, mark.toString());
        await(() -> Files.exists(mark) || !first.isAlive());
        assertThat(cached()).containsExactly("ID.lock", "ID.unfinished");
        Process second = start("second", List.of());
        await(() -> said("second").contains("another process copies it") || !second.isAlive());
        first.destroyForcibly().waitFor();

        assertThat(second.waitFor()).as(() -> said("second")).isZero();
        assertSameFiles(local(), model);
        assertThat(cached()).containsExactly("ID", "ID.lock");
        assertThat(reads()).hasSize(2).allMatch(line -> line.startsWith(second.pid() + " "));
    }

    /// A disk on which the files have just room, and their sums do not.
    @Test
    void diskThatGetsFull_isSaidAndLeavesNothing() throws IOException, InterruptedException {
        List<String> namespace = List.of("unshare", "--mount", "--map-root-user");
        List<String> probe = new ArrayList<>(namespace);
        probe.add("true");
        assumeTrue(
                new ProcessBuilder(probe).start().waitFor() == 0, "no mounts of its own for a process on this system");
        Files.write(model.resolve("config.json"), new byte[4096]);
        Files.write(model.resolve("model.safetensors"), new byte[(1 << 20) - 4096]);
        Files.createDirectory(cache);
        List<String> full = new ArrayList<>(namespace);
        full.addAll(List.of(
                "sh",
                "-c",
                "mount -t tmpfs -o size=1m tmpfs " + cache + "; \"$@\"; code=$?; ls " + cache + "; exit $code",
                "sh"));

        Process process = start("full", full);

        assertThat(process.waitFor()).isNotZero();
        assertThat(said("full"))
                .contains("model cache " + cache + " (engine.model-cache): expected to be writable, got ")
                .contains("No space left on device")
                .contains(MeteredFileSystem.uri(model))
                .doesNotContain(".unfinished\n");
    }
}
