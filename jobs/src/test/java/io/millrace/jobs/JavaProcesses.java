package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.spark.launcher.JavaModuleOptions;

/// Processes with the test's own Java and class path, whose output is kept in files; all are ended with it.
public final class JavaProcesses implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final Path dir;
    private final List<Process> processes = new ArrayList<>();

    /// @param dir for logs
    public JavaProcesses(Path dir) {
        this.dir = dir;
    }

    /// Starts a process; what it says is added to `NAME.log`.
    Process start(String name, List<String> prefix, String mainClass, List<String> jvmOptions, List<String> args)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(command(mainClass, jvmOptions, args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        builder.environment().put("SPARK_HOME", dir.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(name).toFile()))
                .start();
        processes.add(process);
        return process;
    }

    private List<String> command(String mainClass, List<String> jvmOptions, List<String> args) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(Arrays.asList(JavaModuleOptions.defaultModuleOptionArray()));
        Path log4j = Files.writeString(dir.resolve("log4j2.properties"), """
                appenders = console
                appender.console.type = Console
                appender.console.name = console
                appender.console.layout.type = PatternLayout
                rootLogger.level = info
                rootLogger.appenderRef.console.ref = console
                """);
        command.addAll(List.of("-Xmx512m", "-Dlog4j2.configurationFile=" + log4j));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", classPath(), mainClass));
        command.addAll(args);
        return command;
    }

    /// The command line of `millrace` in a process of its own.
    public List<String> millrace(List<String> jvmOptions, List<String> args) throws IOException {
        return command(Millrace.class.getName(), millraceOptions(jvmOptions), args);
    }

    /// Starts `millrace` in a process of its own.
    public Process startMillrace(String name, List<String> prefix, List<String> jvmOptions, List<String> args)
            throws IOException {
        return start(name, prefix, Millrace.class.getName(), millraceOptions(jvmOptions), args);
    }

    private static List<String> millraceOptions(List<String> more) {
        List<String> options = new ArrayList<>(List.of(
                "--sun-misc-unsafe-memory-access=allow",
                "-Dmillrace.home=" + Path.of("..").toAbsolutePath().normalize()));
        options.addAll(more);
        return options;
    }

    private Path log(String name) {
        return dir.resolve(name + ".log");
    }

    /// What a process has said so far.
    public String said(String name) {
        try {
            return Files.exists(log(name)) ? Files.readString(log(name)) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits for something to hold.
    public static void await(BooleanSupplier holds, Supplier<String> otherwise) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as(otherwise).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    static String classPath() {
        String surefire = System.getProperty("surefire.test.class.path");
        return surefire != null ? surefire : System.getProperty("java.class.path");
    }

    @Override
    public void close() throws InterruptedException {
        processes.reversed().forEach(Process::destroy);
        for (Process process : processes) {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }
}
