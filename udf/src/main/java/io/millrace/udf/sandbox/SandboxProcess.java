package io.millrace.udf.sandbox;

import io.millrace.udf.sandbox.Outcome.Ending;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One command in its sandbox, watched by the thread that waits for it.
///
/// `keep.sh` runs outside, `enter.sh` is the first process inside; its parent, `unshare`, ends when everything
/// inside has. So when {@link #process} has ended, nothing is left.
final class SandboxProcess implements AutoCloseable {
    private static final String KEEP = "keep.sh";
    private static final String ENTER = "enter.sh";
    private static final Map<String, String> SCRIPTS = Map.of(KEEP, script(KEEP), ENTER, script(ENTER));
    /// Where the shells outside find their programs.
    private static final Map<String, String> OUTSIDE =
            Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL", "C");
    private static final long LOOK_MILLIS = 25;
    private static final int SIGKILL = 9;
    private static final int SIGXCPU = 24;
    private static final int SIGXFSZ = 25;

    private final Limits limits;
    private final Path control;
    private final DiskUse disk;
    private final long startedNanos = System.nanoTime();
    private final Process process;
    private final StreamReader stdout;
    private final StreamReader stderr;
    private @Nullable ProcessHandle init;
    private boolean ready;

    private SandboxProcess(Sandbox sandbox, Command command, Path control) throws IOException {
        this.limits = sandbox.limits();
        this.control = control;
        this.disk = new DiskUse(written(sandbox));
        Files.createDirectory(control.resolve("root"));
        Files.createFile(control.resolve("status"));
        Files.writeString(control.resolve("input"), command.input());
        for (Map.Entry<String, String> script : SCRIPTS.entrySet()) {
            Files.writeString(control.resolve(script.getKey()), script.getValue());
        }
        ProcessBuilder builder = new ProcessBuilder(words(sandbox, command, control));
        builder.environment().clear();
        builder.environment().putAll(OUTSIDE);
        this.process = builder.directory(control.toFile()).start();
        this.stdout = StreamReader.start(process.getInputStream(), limits.outputBytes());
        this.stderr = StreamReader.start(process.getErrorStream(), limits.outputBytes());
    }

    static SandboxProcess start(Sandbox sandbox, Command command) throws IOException {
        // readable by its owner only
        Path control = Files.createTempDirectory("millrace-sandbox");
        try {
            return new SandboxProcess(sandbox, command, control);
        } catch (IOException | RuntimeException e) {
            delete(control);
            throw e;
        }
    }

    private static List<Path> written(Sandbox sandbox) {
        Stream<Path> mounted = sandbox.mounts().stream().map(Mount::written).flatMap(Stream::ofNullable);
        return Stream.concat(mounted, Stream.ofNullable(sandbox.tmp()))
                .filter(Files::exists)
                .toList();
    }

    private static List<String> words(Sandbox sandbox, Command command, Path control) {
        Limits limits = sandbox.limits();
        List<String> words = new ArrayList<>(List.of("sh", KEEP, ENTER, control.toString()));
        words.add(sandbox.tmp() == null ? "-" : sandbox.tmp().toString());
        words.add(Long.toString(limits.diskBytes()));
        words.add(Integer.toString(limits.processes()));
        words.add(Long.toString(limits.memoryBytes()));
        words.add(Long.toString(limits.cpuSeconds()));
        words.add(Long.toString(limits.fileBytes()));
        words.add(command.directory().toString());
        for (Mount mount : sandbox.mounts()) {
            words.add(mount.kind().word());
            words.add(mount.source().toString());
            words.add(mount.target().toString());
            words.add(mount.layer() == null ? "-" : mount.layer().toString());
        }
        words.add("--");
        command.environment().forEach((name, value) -> words.add(name + "=" + value));
        words.addAll(command.words());
        return words;
    }

    /// Waits for the end, and brings it about when a limit is reached.
    Outcome await() throws InterruptedException {
        Ending reached = null;
        while (reached == null && !process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            reached = reached();
        }
        if (reached != null) {
            end();
        }
        process.waitFor();
        double seconds = (System.nanoTime() - startedNanos) / 1e9;
        Output out = stdout.output();
        Output err = stderr.output();
        if (reached != null) {
            return new Outcome(reached, SIGKILL, out, err, seconds);
        }
        if (status("ready").isEmpty()) {
            throw new SandboxException("sandbox: expected to be made, got exit code " + process.exitValue() + " and: "
                    + err.text().strip());
        }
        int code = status("exit").map(Integer::parseInt).orElse(128 + SIGKILL);
        return ended(code, out, err, seconds);
    }

    private static Outcome ended(int code, Output out, Output err, double seconds) {
        if (code <= 128) {
            return new Outcome(Ending.EXITED, code, out, err, seconds);
        }
        Ending ending =
                switch (code - 128) {
                    case SIGXCPU -> Ending.OUT_OF_CPU_TIME;
                    case SIGXFSZ -> Ending.FILE_TOO_LARGE;
                    default -> Ending.SIGNALLED;
                };
        return new Outcome(ending, code - 128, out, err, seconds);
    }

    /// The limit that is reached, or null.
    private @Nullable Ending reached() {
        if (System.nanoTime() - startedNanos > limits.wall().toNanos()) {
            return Ending.TIMED_OUT;
        }
        if (Math.max(stdout.bytes(), stderr.bytes()) > (long) Limits.ENDLESS * limits.outputBytes()) {
            return Ending.ENDLESS_OUTPUT;
        }
        ProcessUse use = use();
        if (use.memoryBytes() > limits.memoryBytes()) {
            return Ending.OUT_OF_MEMORY;
        }
        if (use.threads() > limits.processes()) {
            return Ending.TOO_MANY_PROCESSES;
        }
        return disk.growth() > limits.diskBytes() ? Ending.OUT_OF_DISK : null;
    }

    /// Until the sandbox is made, the `/proc` that its first process sees is this machine's.
    private ProcessUse use() {
        ready |= status("ready").isPresent();
        return ready ? findInit().map(first -> ProcessUse.of(first.pid())).orElse(ProcessUse.NONE) : ProcessUse.NONE;
    }

    private Optional<ProcessHandle> findInit() {
        if (init == null) {
            init = status("init").map(Long::parseLong).flatMap(ProcessHandle::of).orElse(null);
        }
        return Optional.ofNullable(init);
    }

    /// What the first process says by this word.
    private Optional<String> status(String word) {
        try (Stream<String> lines = Files.lines(control.resolve("status"), StandardCharsets.UTF_8)) {
            return lines.filter(line -> line.startsWith(word))
                    .findFirst()
                    .map(line -> line.substring(word.length()).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Kills everything that is inside: the kernel sees to it when the first process of a PID namespace dies.
    private void end() throws InterruptedException {
        findInit().ifPresent(ProcessHandle::destroyForcibly);
        if (init == null || !process.waitFor(10, TimeUnit.SECONDS)) {
            release();
        }
    }

    /// Lets the shell outside go, which kills what it keeps.
    private void release() {
        try {
            process.getOutputStream().close();
        } catch (IOException _) {
            // it has gone already
        }
    }

    @Override
    public void close() throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            end();
            process.waitFor();
        } catch (InterruptedException _) {
            interrupted = true;
            release();
        } finally {
            delete(control);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void delete(Path control) throws IOException {
        for (String name : List.of("root", "status", "input", KEEP, ENTER)) {
            Files.deleteIfExists(control.resolve(name));
        }
        Files.delete(control);
    }

    private static String script(String name) {
        try (InputStream in = Objects.requireNonNull(SandboxProcess.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
