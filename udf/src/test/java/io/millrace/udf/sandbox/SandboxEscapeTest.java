package io.millrace.udf.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.udf.sandbox.Outcome.Ending;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Programs that try to get out, to stay, or to take more than is theirs.
class SandboxEscapeTest {
    private static final Limits LIMITS = Limits.SMALL.withWall(Duration.ofMinutes(5));
    private static final Path PYTHON = Path.of("/usr/bin/python3");

    @TempDir
    private Path dir = Path.of("");

    private Path work = dir;

    @BeforeEach
    void makeDirectory() throws IOException {
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            assumeTrue(false, e.getMessage());
        }
        work = Files.createDirectory(dir.resolve("work"));
    }

    private Outcome bash(String script) throws InterruptedException {
        return bash(LIMITS, script);
    }

    private Outcome bash(Limits limits, String script) throws InterruptedException {
        return Sandbox.of(limits, Mount.writable(work)).run(Command.bash(work, script));
    }

    private Outcome python(Limits limits, String program) throws InterruptedException {
        assumeTrue(Files.exists(PYTHON), "no " + PYTHON);
        return Sandbox.of(limits, Mount.writable(work)).run(Command.of(work, PYTHON.toString(), "-c", program));
    }

    private static void assertFails(Outcome outcome, String says) {
        assertThat(outcome.ending()).as("%s", outcome).isEqualTo(Ending.EXITED);
        assertThat(outcome.code()).as("%s", outcome).isNotZero();
        assertThat(outcome.stderr().text()).contains(says);
    }

    @Test
    void network_aServerOfThisMachine_isNotReached() throws IOException, InterruptedException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            server.configureBlocking(false);
            int port = server.socket().getLocalPort();

            assertFails(bash("exec 3<> /dev/tcp/127.0.0.1/" + port), "refused");
            assertThat(server.accept()).isNull();
        }
    }

    @Test
    void network_theWorld_isNotReached() throws InterruptedException {
        assertFails(bash("exec 3<> /dev/udp/192.0.2.1/53"), "unreachable");
    }

    @Test
    void network_aSocketFileOutside_isNotSeen() throws InterruptedException {
        assertThat(bash("ls /run /var 2>&1").stdout().text()).contains("'/run'").contains("'/var'");
    }

    @Test
    void forkBomb_isEnded() throws InterruptedException {
        Outcome outcome = bash(LIMITS.withWall(Duration.ofSeconds(20)), "bomb() { bomb | bomb & }; bomb; sleep 1000");

        // the kernel refuses more processes to any user but root, and then it is time that ends it
        assertThat(outcome.ending()).isIn(Ending.TOO_MANY_PROCESSES, Ending.TIMED_OUT);
        assertThat(Processes.with("bomb() { bomb")).isEmpty();
    }

    @Test
    void memory_ofOneProcess_isBounded() throws InterruptedException {
        Outcome outcome = python(LIMITS.withMemoryBytes(100 << 20), """
                kept = []
                while True:
                    kept.append(bytearray(1 << 20))
                """);

        assertThat(outcome.ending()).isEqualTo(Ending.OUT_OF_MEMORY);
    }

    @Test
    void memory_ofManyProcesses_isBoundedTogether() throws InterruptedException {
        Outcome outcome = python(LIMITS.withMemoryBytes(200 << 20), """
                import os, time
                for _ in range(20):
                    if os.fork() == 0:
                        kept = bytearray(os.urandom(1 << 20) * 30)
                        time.sleep(1000)
                time.sleep(1000)
                """);

        assertThat(outcome.ending()).isEqualTo(Ending.OUT_OF_MEMORY);
    }

    @Test
    void memory_shared_isBounded() throws InterruptedException {
        Outcome outcome = python(LIMITS.withMemoryBytes(100 << 20), """
                import mmap, time
                kept = mmap.mmap(-1, 300 << 20)
                for page in range(0, 300 << 20, 4096):
                    kept[page] = 1
                time.sleep(1000)
                """);

        assertThat(outcome.ending()).isEqualTo(Ending.OUT_OF_MEMORY);
    }

    @Test
    void memory_inOneStep_isRefused() throws InterruptedException {
        assertFails(python(LIMITS.withMemoryBytes(100 << 20), "bytearray(10 << 30)"), "MemoryError");
    }

    @Test
    void processorTime_isBounded() throws InterruptedException {
        Limits limits = new Limits(Duration.ofMinutes(5), 1, 1 << 30, 64, 1 << 20, 1 << 20, 100);

        assertThat(bash(limits, "while :; do :; done").ending()).isEqualTo(Ending.OUT_OF_CPU_TIME);
    }

    @Test
    void disk_oneLargeFile_isBounded() throws InterruptedException {
        assertThat(bash("exec head -c 100000000 /dev/zero > file").ending()).isEqualTo(Ending.FILE_TOO_LARGE);
        assertThat(work.resolve("file")).hasSize(LIMITS.fileBytes());
    }

    @Test
    void disk_manyFiles_isBounded() throws InterruptedException {
        Outcome outcome =
                bash("n=0; while n=$((n + 1)); do head -c 10000000 /dev/zero > $n; sleep 0.05; done");

        assertThat(outcome.ending()).isEqualTo(Ending.OUT_OF_DISK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/tmp", "/dev/shm"})
    void disk_inMemory_isFullAtItsBound(String folder) throws InterruptedException {
        assertFails(
                bash("cd " + folder + "; for n in 1 2 3; do head -c 40000000 /dev/zero > $n || exit 1; done"),
                "No space left on device");
    }

    @Test
    void output_endless_isEnded() throws InterruptedException {
        Outcome outcome = bash("yes");

        assertThat(outcome.ending()).isEqualTo(Ending.ENDLESS_OUTPUT);
        assertThat(outcome.stdout().isTruncated()).isTrue();
        assertThat(outcome.stdout().text()).hasSizeLessThan(LIMITS.outputBytes() + 100);
    }

    @Test
    void reading_whatIsOutside_findsNothing() throws IOException, InterruptedException {
        Path secret = Files.writeString(dir.resolve("id_rsa-7700002"), "secret");

        assertFails(bash("cat " + secret), "No such file");
        assertFails(bash("cat ../" + secret.getFileName()), "No such file");
        assertThat(bash("find / -name '*7700002*' -not -path '/proc/*' 2>&1").stdout().text()).isEmpty();
        assertFails(bash("cat /etc/shadow"), "No such file");
        assertThat(bash("ls -A /root /home ~ 2> /dev/null").stdout().text()).doesNotContain(".ssh");
    }

    @Test
    void reading_throughALink_findsNothing() throws IOException, InterruptedException {
        Path secret = Files.writeString(dir.resolve("secret"), "secret");
        Files.createSymbolicLink(work.resolve("link"), secret);

        assertFails(bash("cat link"), "No such file");
    }

    @Test
    void writing_whereItIsNotAllowed_isRefused() throws IOException, InterruptedException {
        Path tools = Files.createDirectory(dir.resolve("tools"));
        Sandbox sandbox = Sandbox.of(LIMITS, Mount.writable(work), Mount.readOnly(tools));
        Outcome outcome = sandbox.run(Command.bash(
                work, "for place in / /usr /etc /dev /proc /proc/sys/kernel '" + tools + "'; do touch $place/x; done"));

        assertThat(outcome.stderr().text().lines()).hasSize(7).allMatch(line -> line.startsWith("touch: "));
        assertThat(tools.resolve("x")).doesNotExist();
    }

    @Test
    void writing_besideItsDirectory_staysInside() throws InterruptedException {
        bash("echo x > ../beside");

        assertThat(dir.resolve("beside")).doesNotExist();
    }

    @Test
    void kernelSwitches_areShut() throws InterruptedException {
        assertFails(bash("echo 1 > /proc/sys/vm/drop_caches"), "Read-only file system");
        assertFails(bash("echo h > /proc/sysrq-trigger"), "");
    }

    @Test
    void privileges_cannotBeHadAgain() throws InterruptedException {
        assertFails(bash("unshare --user true"), "unshare failed");
        assertFails(bash("mount -t tmpfs tmpfs /tmp"), "permission denied");
        assertFails(bash("mount -o remount,rw,bind /usr"), "permission denied");
        assertThat(bash("grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status").stdout().text().lines())
                .hasSize(4)
                .allMatch(line -> line.endsWith("0000000000000000"));
        assertThat(bash("grep NoNewPrivs /proc/self/status").stdout().text()).endsWith("1\n");
    }

    @Test
    void signals_reachNobodyOutside() throws InterruptedException {
        long jvm = ProcessHandle.current().pid();
        Outcome outcome = bash("kill -KILL " + jvm + "; kill -KILL $PPID; kill -KILL 1; ls -d /proc/[0-9]* | wc -l");

        assertThat(outcome.stderr().text()).contains("No such process");
        assertThat(Integer.parseInt(outcome.stdout().text().strip())).isLessThan(6);
        assertThat(outcome.isSuccess()).isTrue();
    }

    @Test
    void signals_toAll_endOnlyItself() throws InterruptedException {
        assertThat(bash("kill -KILL -1; sleep 0.1; echo alive").ending()).isIn(Ending.EXITED, Ending.SIGNALLED);
    }

    @Test
    void firstProcess_cannotBeTracedOrLookedInto() throws InterruptedException {
        Outcome outcome = python(LIMITS, """
                import ctypes, os
                libc = ctypes.CDLL(None, use_errno=True)
                for request in 16, 0x4206:
                    print(libc.ptrace(request, 1, 0, 0), os.strerror(ctypes.get_errno()))
                """);

        assertThat(outcome.stdout().text()).isEqualTo("-1 Operation not permitted\n".repeat(2));
        assertThat(bash("ls /proc/1/root/ /proc/1/fd/ /proc/1/cwd/").stderr().text().lines())
                .hasSize(3)
                .allMatch(line -> line.endsWith("Permission denied"));
        assertFails(bash("cat /proc/1/environ"), "Permission denied");
    }

    @Test
    void daemon_doesNotOutliveItsCommand() throws InterruptedException {
        Outcome outcome = bash("setsid sleep 7700003 > /dev/null 2>&1 < /dev/null & disown; (sleep 7700003 &)");

        assertThat(outcome.isSuccess()).isTrue();
        assertThat(Processes.with("sleep 7700003")).isEmpty();
    }

    @Test
    void daemon_thatHoldsTheOutput_doesNotDelayTheEnd() throws InterruptedException {
        assertThat(bash("sleep 7700004 & echo done").stdout().text()).isEqualTo("done\n");
        assertThat(Processes.with("sleep 7700004")).isEmpty();
    }

    @Test
    void command_doesNotOutliveItsJvm() throws IOException, InterruptedException {
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        classPath(),
                        Sleeper.class.getName(),
                        work.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Path begun = work.resolve("begun");
        while (!Files.exists(begun) && jvm.isAlive()) {
            jvm.waitFor(20, TimeUnit.MILLISECONDS);
        }
        assertThat(Processes.with("sleep 7700005")).isNotEmpty();
        jvm.destroyForcibly().waitFor();

        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
        while (!Processes.with("sleep 7700005").isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(20_000_000);
        }
        assertThat(Processes.with("sleep 7700005")).isEmpty();
    }

    private static String classPath() {
        String surefire = System.getProperty("surefire.test.class.path");
        return surefire != null ? surefire : System.getProperty("java.class.path");
    }

    /// A JVM that waits for a command.
    static final class Sleeper {
        private Sleeper() {}

        public static void main(String[] args) throws InterruptedException {
            Path work = Path.of(args[0]);
            Sandbox.of(LIMITS, Mount.writable(work)).run(Command.bash(work, "sleep 7700005 & touch begun; wait"));
        }
    }
}
