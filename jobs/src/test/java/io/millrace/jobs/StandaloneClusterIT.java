package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A Spark master and two workers, each a process of its own started from the test's class path on the
/// loopback address: the closure travels, the plugin opens an engine per executor, and every row comes back
/// once.
class StandaloneClusterIT {
    private static final int ROWS = 400;
    private static final Duration START = Duration.ofMinutes(3);

    @TempDir
    private Path dir = Path.of("");

    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void stopProcesses() throws InterruptedException {
        processes.reversed().forEach(Process::destroy);
        for (Process process : processes) {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void summarize_twoWorkers_bothWorkAndEveryRowComesOnce() throws IOException {
        // a worker starts executors from $SPARK_HOME/jars; theirs come with the class path instead
        Files.createDirectory(dir.resolve("jars"));
        int port = freePort();
        String master = "spark://127.0.0.1:" + port;
        start(
                "master",
                "org.apache.spark.deploy.master.Master",
                "--host",
                "127.0.0.1",
                "--port",
                "" + port,
                "--webui-port",
                "0");
        awaitLog("master", "Starting Spark master");
        for (String worker : List.of("worker1", "worker2")) {
            start(
                    worker,
                    "org.apache.spark.deploy.worker.Worker",
                    "--host",
                    "127.0.0.1",
                    "--cores",
                    "1",
                    "--memory",
                    "1g",
                    "--work-dir",
                    dir.resolve(worker).toString(),
                    "--webui-port",
                    "0",
                    master);
        }
        awaitLog("worker1", "Successfully registered with master");
        awaitLog("worker2", "Successfully registered with master");
        String input = Files.write(
                        dir.resolve("in.txt"),
                        IntStream.range(0, ROWS).mapToObj(row -> "row " + row).toList())
                .toString();
        FakeJob job = new FakeJob(dir.resolve("out"));

        int exit = job.run(
                master,
                input,
                "-c",
                "spark.executor.extraClassPath=" + classPath(),
                "-c",
                "spark.executor.memory=512m",
                "-c",
                "spark.executor.cores=1",
                "-c",
                "spark.driver.host=127.0.0.1",
                "-c",
                "spark.driver.bindAddress=127.0.0.1",
                "-c",
                "spark.scheduler.minRegisteredResourcesRatio=1.0",
                "-c",
                "spark.scheduler.maxRegisteredResourcesWaitingTime=120s",
                "-c",
                "plan.shard-rows=50",
                "-c",
                "spark.locality.wait=0s");

        assertThat(exit).as(() -> job.err() + workerLogs()).isEqualTo(ExitCode.OK);
        List<Row> rows = job.rows();
        assertThat(rows).hasSize(ROWS);
        assertThat(rows)
                .extracting(row -> row.<String>getAs("output_text"))
                .containsExactlyElementsOf(
                        IntStream.range(0, ROWS).mapToObj(row -> "row " + row).toList());
        assertThat(rows).extracting(row -> row.<String>getAs("request_id")).doesNotHaveDuplicates();
        assertThat(rows.stream()
                        .map(row -> row.<Row>getAs("engine").<String>getAs("device"))
                        .distinct())
                .hasSize(2)
                .doesNotContain("fake-" + ProcessHandle.current().pid());
    }

    private void start(String name, String mainClass, String... args) throws IOException {
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
        command.addAll(List.of("-Xmx512m", "-Dlog4j2.configurationFile=" + log4j, "-cp", classPath(), mainClass));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        builder.environment().put("SPARK_HOME", dir.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        processes.add(builder.redirectErrorStream(true)
                .redirectOutput(dir.resolve(name + ".log").toFile())
                .start());
    }

    private String workerLogs() {
        try (Stream<Path> files = Files.walk(dir)) {
            return files.filter(
                            file -> file.endsWith("stderr") || file.toString().matches(".*worker\\d\\.log"))
                    .map(file -> "\n== " + file + "\n" + read(file))
                    .collect(Collectors.joining());
        } catch (IOException e) {
            return "no logs: " + e;
        }
    }

    private static String classPath() {
        String surefire = System.getProperty("surefire.test.class.path");
        return surefire != null ? surefire : System.getProperty("java.class.path");
    }

    private void awaitLog(String name, String line) {
        Path log = dir.resolve(name + ".log");
        await(() -> read(log).contains(line), () -> name + " never said \"" + line + "\":\n" + read(log));
    }

    private static void await(BooleanSupplier holds, java.util.function.Supplier<String> otherwise) {
        long deadline = System.nanoTime() + START.toNanos();
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as(otherwise).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
    }

    private static String read(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "";
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
