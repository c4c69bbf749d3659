package io.millrace.udf.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.udf.sandbox.Outcome.Ending;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a command can do in the sandbox, and how its end is told.
class SandboxTest {
    private static final Limits LIMITS = Limits.SMALL.withWall(Duration.ofMinutes(5));

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
        work = Files.createDirectory(dir.resolve("a folder"));
    }

    private Sandbox sandbox() {
        return Sandbox.of(LIMITS, Mount.writable(work));
    }

    private Outcome bash(Sandbox sandbox, String script) throws InterruptedException {
        return sandbox.run(Command.bash(work, script));
    }

    private static void assertPrints(Outcome outcome, String text) {
        assertThat(outcome.stdout().text()).as("%s", outcome).isEqualTo(text);
        assertThat(outcome.isSuccess()).as("%s", outcome).isTrue();
    }

    @Test
    void run_exits_withBothStreamsAndItsCode() throws InterruptedException {
        Outcome outcome = bash(sandbox(), "echo out; echo err >&2; exit 7");

        assertThat(outcome.ending()).isEqualTo(Ending.EXITED);
        assertThat(outcome.code()).isEqualTo(7);
        assertThat(outcome.exitCode()).isEqualTo(7);
        assertThat(outcome.isSuccess()).isFalse();
        assertThat(outcome.stdout()).isEqualTo(new Output("out\n", "", 4, 0));
        assertThat(outcome.stderr().text()).isEqualTo("err\n");
        assertThat(outcome.seconds()).isPositive();
    }

    @Test
    void run_signalled_saysWhich() throws InterruptedException {
        Outcome outcome = bash(sandbox(), "kill -SEGV $$");

        assertThat(outcome.ending()).isEqualTo(Ending.SIGNALLED);
        assertThat(outcome.code()).isEqualTo(11);
        assertThat(outcome.exitCode()).isEqualTo(139);
        assertThat(outcome.stderr().text()).isEmpty();
    }

    @Test
    void run_program_isNotFound() throws InterruptedException {
        assertThat(sandbox().run(Command.of(work, "no-such-program")).code()).isEqualTo(127);
    }

    @Test
    void run_environment_isWhatIsGiven() throws InterruptedException {
        Command command = new Command(List.of("env"), work, Map.of("NAME", "a value", "HOME", "/nowhere"), "");

        assertThat(sandbox().run(command).stdout().text().lines())
                .containsExactlyInAnyOrder(
                        "NAME=a value", "HOME=/nowhere", "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin");
    }

    @Test
    void run_input_isReadOnceAndEnds() throws InterruptedException {
        assertPrints(sandbox().run(Command.bash(work, "cat; cat; cat /proc/self/fd/0").withInput("zwölf")), "zwölf");
        assertPrints(sandbox().run(Command.of(work, "cat")), "");
    }

    @Test
    void run_inputUnread_doesNotStopTheCommand() throws InterruptedException {
        assertPrints(sandbox().run(Command.of(work, "echo", "done").withInput("x".repeat(60_000))), "done\n");
    }

    @Test
    void run_manyTimes_directoryStaysButTmpInMemoryDoesNot() throws InterruptedException {
        assertPrints(bash(sandbox(), "echo 1 > here; echo 2 > /tmp/there; cat here /tmp/there"), "1\n2\n");
        assertPrints(bash(sandbox(), "cat here; ls -A /tmp/there 2> /dev/null || true"), "1\n");
        assertThat(work.resolve("here")).hasContent("1\n");
    }

    @Test
    void run_tmpOfItsOwn_outlivesTheCommand() throws IOException, InterruptedException {
        Sandbox sandbox = sandbox().withTmp(Files.createDirectory(dir.resolve("tmp")));
        bash(sandbox, "echo 2 > /tmp/there");

        assertPrints(bash(sandbox, "cat /tmp/there"), "2\n");
    }

    @Test
    void run_overlay_keepsItsSourceAsItIs() throws IOException, InterruptedException {
        Path cache = Files.createDirectory(dir.resolve("cache"));
        Files.writeString(cache.resolve("old"), "old\n");
        Sandbox sandbox = sandbox().with(Mount.overlay(cache, dir.resolve("layer")));

        assertPrints(bash(sandbox, "cd '" + cache + "'; cat old; rm old; echo new > new"), "old\n");
        assertPrints(bash(sandbox, "cat '" + cache + "'/*"), "new\n");
        assertThat(cache.resolve("old")).hasContent("old\n");
        assertThat(cache.resolve("new")).doesNotExist();
    }

    @Test
    void run_gitWorktree_knowsItsRepository() throws IOException, InterruptedException {
        Path repository = Files.createDirectory(dir.resolve("repository"));
        Command setUp = Command.bash(repository, """
                git init -q && echo 1 > file && git add . \\
                  && git -c user.name=n -c user.email=e commit -qm first \\
                  && git worktree add -q ../tree
                """);
        assertPrints(Sandbox.of(LIMITS, Mount.writable(dir)).run(setUp), "");
        Path tree = dir.resolve("tree");

        Outcome outcome = Sandbox.of(LIMITS, Mount.readOnly(repository.resolve(".git")), Mount.writable(tree))
                .run(Command.bash(tree, "echo 2 > file; git diff --stat | tail -1; git log --format=%s"));

        assertPrints(outcome, " 1 file changed, 1 insertion(+), 1 deletion(-)\nfirst\n");
    }

    @Test
    void run_noise_keepsHeadAndTailAndSaysWhatIsLeftOut() throws InterruptedException {
        Output output = bash(sandbox().withLimits(LIMITS.withOutputBytes(20)), "seq 1000; echo the end >&2")
                .stdout();

        assertThat(output.head()).isEqualTo("1\n2\n3\n4\n5\n");
        assertThat(output.tail()).isEqualTo("\n999\n1000\n");
        assertThat(output.isTruncated()).isTrue();
        assertThat(output.bytes()).isEqualTo(3893);
        assertThat(output.text()).contains("[3873 bytes left out]");
    }

    @Test
    void run_tooLong_isTimedOut() throws InterruptedException {
        Outcome outcome = bash(sandbox().withLimits(LIMITS.withWall(Duration.ofSeconds(2))), "echo begun; sleep 1000");

        assertThat(outcome.ending()).isEqualTo(Ending.TIMED_OUT);
        assertThat(outcome.exitCode()).isEqualTo(124);
    }

    @Test
    void run_interrupted_endsTheCommand() throws Exception {
        Thread[] caller = new Thread[1];
        Path begun = work.resolve("begun");
        Throwable[] thrown = new Throwable[1];
        caller[0] = Thread.ofPlatform().start(() -> {
            try {
                bash(sandbox(), "touch begun; exec sleep 7700001");
            } catch (InterruptedException | RuntimeException e) {
                thrown[0] = e;
            }
        });
        while (!Files.exists(begun) && caller[0].isAlive()) {
            Thread.onSpinWait();
        }
        caller[0].interrupt();
        caller[0].join();

        assertThat(thrown[0]).isInstanceOf(InterruptedException.class);
        assertThat(Processes.with("sleep 7700001")).isEmpty();
    }

    @Test
    void run_mountThatIsNotThere_isRefusedByName() {
        Sandbox sandbox = sandbox().with(Mount.readOnly(dir.resolve("missing")));

        assertThatThrownBy(() -> bash(sandbox, "true"))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("missing");
    }

    @Test
    void run_directoryThatIsNotThere_isRefused() {
        assertThatThrownBy(() -> sandbox().run(Command.of(Path.of("/nowhere"), "true")))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("/nowhere");
    }

    @Test
    void run_leavesNoFilesOfItsOwn() throws IOException, InterruptedException {
        bash(sandbox(), "true");

        try (var files = Files.list(work)) {
            assertThat(files).isEmpty();
        }
    }
}
