package io.millrace.jobs.bench;

import io.millrace.jobs.JobException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;

/// A standalone Spark master and workers on the loopback address, started from this JVM's class path, each
/// worker kept on a processor of its own by `taskset`; so are the executors that it starts.
final class LoopbackCluster implements AutoCloseable {
    /// Tasks that an executor runs at once: they compute nothing, and keep its batch full while one ends.
    private static final int SLOTS = 4;

    private static final Duration START = Duration.ofMinutes(1);
    private static final Duration STOP = Duration.ofSeconds(10);
    private static final String CLASS_PATH =
            java.lang.management.ManagementFactory.getRuntimeMXBean().getClassPath();

    private final Path folder;
    private final int workers;
    private final List<Process> processes = new ArrayList<>();
    private final String master;

    private LoopbackCluster(Path folder, int workers, int port) {
        this.folder = folder;
        this.workers = workers;
        this.master = "spark://127.0.0.1:" + port;
    }

    static LoopbackCluster start(int workers) throws IOException {
        Path folder = Files.createTempDirectory("millrace-cluster-");
        // a worker starts executors from $SPARK_HOME/jars; theirs come with the class path instead
        Files.createDirectory(folder.resolve("jars"));
        int port = freePort();
        LoopbackCluster cluster = new LoopbackCluster(folder, workers, port);
        boolean started = false;
        try {
            cluster.startAll(port);
            started = true;
            return cluster;
        } finally {
            if (!started) {
                cluster.close();
            }
        }
    }

    private void startAll(int port) throws IOException {
        List<String> address = List.of("--host", "127.0.0.1", "--webui-port", "0");
        List<String> arguments = new ArrayList<>(address);
        arguments.addAll(List.of("--port", Integer.toString(port)));
        start("master", List.of(), "org.apache.spark.deploy.master.Master", arguments);
        await("master", "Starting Spark master");
        for (int worker = 0; worker < workers; worker++) {
            arguments = new ArrayList<>(address);
            arguments.addAll(List.of("--cores", Integer.toString(SLOTS), "--memory", "3g"));
            arguments.addAll(
                    List.of("--work-dir", folder.resolve("work" + worker).toString(), master));
            List<String> pinned = List.of("taskset", "-c", Integer.toString(worker));
            start("worker" + worker, pinned, "org.apache.spark.deploy.worker.Worker", arguments);
        }
        for (int worker = 0; worker < workers; worker++) {
            await("worker" + worker, "Successfully registered with master");
        }
    }

    /// What a job must be told to run here.
    List<String> arguments() {
        return List.of(
                "--master",
                master,
                "-c",
                "spark.executor.extraClassPath=" + CLASS_PATH,
                "-c",
                "spark.executor.memory=2g",
                "-c",
                "spark.executor.cores=" + SLOTS,
                "-c",
                "spark.driver.host=127.0.0.1",
                "-c",
                "spark.driver.bindAddress=127.0.0.1",
                "-c",
                "spark.scheduler.minRegisteredResourcesRatio=1.0",
                "-c",
                "spark.scheduler.maxRegisteredResourcesWaitingTime=60s",
                "-c",
                "spark.locality.wait=0s");
    }

    private void start(String name, List<String> before, String mainClass, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
        command.addAll(List.of("-Xmx512m", "-Dlog4j2.configurationFile=" + logging(), "-cp", CLASS_PATH, mainClass));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        builder.environment().put("SPARK_HOME", folder.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        processes.add(builder.redirectErrorStream(true)
                .redirectOutput(log(name).toFile())
                .start());
    }

    private Path logging() throws IOException {
        return Files.writeString(folder.resolve("log4j2.properties"), """
                appenders = console
                appender.console.type = Console
                appender.console.name = console
                appender.console.layout.type = PatternLayout
                rootLogger.level = info
                rootLogger.appenderRef.console.ref = console
                """);
    }

    private Path log(String name) {
        return folder.resolve(name + ".log");
    }

    private void await(String name, String line) throws IOException {
        long deadline = System.nanoTime() + START.toNanos();
        while (!Files.readString(log(name)).contains(line)) {
            if (System.nanoTime() > deadline) {
                throw new JobException(
                        name + ": expected \"" + line + "\" within a minute, got\n" + Files.readString(log(name)));
            }
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /// Ends the processes, workers first.
    @Override
    public void close() throws IOException {
        processes.reversed().forEach(Process::destroy);
        try {
            for (Process process : processes) {
                if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            }
        } catch (InterruptedException e) {
            processes.forEach(Process::destroyForcibly);
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
