package io.millrace.jobs;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A Spark master and workers, every one a process of its own on the loopback address.
final class LocalCluster implements AutoCloseable {
    /// For processes that compute nothing: start soon, leave the processors to the executors. The master does not take
    /// a machine that stands still for lost workers.
    private static final List<String> LIGHT =
            List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dspark.worker.timeout=600");

    private final Path dir;
    private final JavaProcesses processes;
    private final List<Process> workers = new ArrayList<>();
    private final String master;

    private LocalCluster(Path dir, JavaProcesses processes, String master) {
        this.dir = dir;
        this.processes = processes;
        this.master = master;
    }

    /// A worker to be started.
    ///
    /// @param environment further variables, each as `NAME=VALUE`
    /// @param jvmOptions further options
    record Worker(int cores, List<String> environment, List<String> jvmOptions) {}

    /// With two workers of a core each.
    static LocalCluster start(Path dir) throws IOException {
        Worker worker = new Worker(1, List.of(), List.of());
        return start(dir, List.of(worker, worker));
    }

    /// Starts it and waits until all workers are there.
    ///
    /// @param dir for logs and the workers' own files
    static LocalCluster start(Path dir, List<Worker> workers) throws IOException {
        // a worker starts executors from $SPARK_HOME/jars; theirs come with the class path instead
        Files.createDirectories(dir.resolve("jars"));
        int port = freePort();
        LocalCluster cluster = new LocalCluster(dir, new JavaProcesses(dir), "spark://127.0.0.1:" + port);
        cluster.startDaemon(
                "master",
                List.of(),
                List.of(),
                "org.apache.spark.deploy.master.Master",
                "--host",
                "127.0.0.1",
                "--port",
                "" + port,
                "--webui-port",
                "0");
        cluster.awaitLog("master", "Starting Spark master");
        for (Worker worker : workers) {
            cluster.startWorker("worker" + (cluster.workers.size() + 1), worker);
        }
        for (int number = 1; number <= workers.size(); number++) {
            cluster.awaitLog("worker" + number, "Successfully registered with master");
        }
        return cluster;
    }

    private void startWorker(String name, Worker worker) throws IOException {
        List<String> environment = worker.environment().isEmpty()
                ? List.of()
                : Stream.concat(Stream.of("env"), worker.environment().stream()).toList();
        workers.add(startDaemon(
                name,
                environment,
                worker.jvmOptions(),
                "org.apache.spark.deploy.worker.Worker",
                "--host",
                "127.0.0.1",
                "--cores",
                "" + worker.cores(),
                "--memory",
                "2g",
                "--work-dir",
                dir.resolve(name).toString(),
                "--webui-port",
                "0",
                master));
    }

    String master() {
        return master;
    }

    /// Settings of a job on this cluster.
    List<String> settings() {
        List<String> settings = new ArrayList<>();
        for (String setting : List.of(
                "spark.executor.extraClassPath=" + JavaProcesses.classPath(),
                "spark.executor.memory=512m",
                "spark.ui.enabled=false",
                "spark.executor.cores=1",
                "spark.driver.host=127.0.0.1",
                "spark.driver.bindAddress=127.0.0.1",
                "spark.scheduler.minRegisteredResourcesRatio=1.0",
                "spark.scheduler.maxRegisteredResourcesWaitingTime=120s",
                "spark.locality.wait=0s")) {
            settings.add("-c");
            settings.add(setting);
        }
        return settings;
    }

    /// The executors that run now: the workers' children.
    List<ProcessHandle> executors() {
        return workers.stream()
                .flatMap(worker -> worker.toHandle().children())
                .filter(ProcessHandle::isAlive)
                .toList();
    }

    private Process startDaemon(
            String name, List<String> prefix, List<String> jvmOptions, String mainClass, String... args)
            throws IOException {
        List<String> options =
                Stream.concat(LIGHT.stream(), jvmOptions.stream()).toList();
        return processes.start(name, prefix, mainClass, options, List.of(args));
    }

    /// Starts `millrace` in a process of its own.
    Process startMillrace(String name, List<String> args) throws IOException {
        return processes.startMillrace(name, List.of(), LIGHT, args);
    }

    /// What a process has said so far.
    String said(String name) {
        return processes.said(name);
    }

    /// What workers and executors have said, for the message of a failed test.
    String logs() {
        try (Stream<Path> files = Files.walk(dir)) {
            return files.filter(
                            file -> file.endsWith("stderr") || file.toString().matches(".*worker\\d\\.log"))
                    .map(file -> "\n== " + file + "\n" + read(file))
                    .collect(Collectors.joining());
        } catch (IOException e) {
            return "no logs: " + e;
        }
    }

    private void awaitLog(String name, String line) {
        JavaProcesses.await(
                () -> said(name).contains(line), () -> name + " never said \"" + line + "\":\n" + said(name));
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

    @Override
    public void close() throws InterruptedException {
        processes.close();
    }
}
