package io.millrace.jobs;

import io.millrace.schemas.AuditExchange;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;

/// The auditor's process, and the directory through which it is talked to. It ends when asked to, or by
/// itself when this process does.
final class Auditor implements AutoCloseable {
    private static final String MAIN_CLASS = "io.millrace.quality.Auditor";
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration FAREWELL = Duration.ofSeconds(10);
    private static final int LOG_TAIL_LINES = 12;

    private final Path exchange;
    private final Path log;
    private final Process process;

    private Auditor(Path exchange, Path log, Process process) {
        this.exchange = exchange;
        this.log = log;
        this.process = process;
    }

    /// @throws JobException if it is not built
    static void requireBuilt(Path target) {
        String _ = classPath(target);
    }

    /// Starts the process and does not wait for it.
    ///
    /// @param target folder of the auditor's built files
    /// @throws JobException if it is not built, or cannot be started
    static Auditor start(Path target, String master) {
        String classPath = classPath(target);
        try {
            Path exchange = Files.createTempDirectory("millrace-audit-");
            Path log = exchange.resolve("auditor.log");
            List<String> command = new ArrayList<>();
            command.add(java());
            command.addAll(Arrays.asList(JavaModuleOptions.defaultModuleOptionArray()));
            // a short life beside the engine: little to gain from the optimising compiler, processors to lose
            command.addAll(List.of("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
            command.addAll(List.of("-cp", classPath, MAIN_CLASS));
            command.addAll(List.of("--requests", exchange.toString(), "--quality-master", master));
            command.addAll(List.of(
                    "--parent-pid", Long.toString(ProcessHandle.current().pid())));
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            return new Auditor(exchange, log, process);
        } catch (IOException e) {
            throw new JobException("gate: the auditor could not be started: " + e.getMessage(), e);
        }
    }

    /// The Java that runs this process, so that the class files' version fits.
    private static String java() {
        return ProcessHandle.current().info().command().orElse("java");
    }

    private static String classPath(Path target) {
        Path dependencies = target.resolve("classpath.txt");
        try (Stream<Path> files = Files.list(target)) {
            Path jar = files.filter(
                            file -> file.getFileName().toString().matches("millrace-quality-[^-]+(-SNAPSHOT)?\\.jar"))
                    .max(Comparator.naturalOrder())
                    .orElseThrow(() -> new IOException("no millrace-quality-*.jar there"));
            return jar + File.pathSeparator + Files.readString(dependencies).strip();
        } catch (IOException e) {
            throw new JobException(
                    "gate: expected the built auditor in " + target + ", got " + e.getMessage()
                            + "; build it with mvn package, or run with --no-gate",
                    e);
        }
    }

    /// Hands over a request and waits for the verdict.
    ///
    /// @return the verdict, JSON
    /// @throws JobException if the auditor dies before
    String judge(String request) {
        try {
            Path verdict = exchange.resolve(AuditExchange.VERDICT_FILE);
            Files.deleteIfExists(verdict);
            Path unfinished = exchange.resolve("next-request");
            Files.writeString(unfinished, request);
            Files.move(unfinished, exchange.resolve(AuditExchange.REQUEST_FILE), StandardCopyOption.ATOMIC_MOVE);
            while (!Files.exists(verdict)) {
                if (process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS) && !Files.exists(verdict)) {
                    throw new JobException("gate: the auditor ended with exit code " + process.exitValue()
                            + " and no verdict; its last lines:\n" + logTail());
                }
            }
            return Files.readString(verdict);
        } catch (IOException e) {
            throw new JobException("gate: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("gate: interrupted while waiting for the verdict", e);
        }
    }

    private String logTail() throws IOException {
        List<String> lines = Files.readAllLines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    }

    @Override
    public void close() {
        try {
            if (process.isAlive()) {
                Files.createFile(exchange.resolve(AuditExchange.STOP_FILE));
                if (!process.waitFor(FAREWELL.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroy();
                }
            }
            try (Stream<Path> files = Files.walk(exchange)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            process.destroy();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
