package io.millrace.udf.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.udf.sandbox.Examiner.Language;
import io.millrace.udf.sandbox.Examiner.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Verdicts on programs that are right, wrong, or want to look right.
class ExaminerTest {
    private static final String PYTHON = "/usr/bin/python3";
    private static final Limits LIMITS = Limits.SMALL.withWall(Duration.ofMinutes(5));
    private static final Examiner EXAMINER = new Examiner(null, PYTHON, List.of(), LIMITS);

    private static final String TEST = """

            def check(candidate):
                assert candidate(2) == 4, "two"
                assert candidate(3) == 9, "three"
            check(square)
            """;

    @BeforeEach
    void requireSandbox() {
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            assumeTrue(false, e.getMessage());
        }
    }

    private static Verdict python(String program) throws InterruptedException {
        assumeTrue(Files.exists(Path.of(PYTHON)), "no " + PYTHON);
        return EXAMINER.examine(Language.PYTHON, program);
    }

    private static void assertFailed(Verdict verdict, String result) {
        assertThat(verdict.result()).as("%s", verdict).isEqualTo(result);
        assertThat(verdict.passed()).isFalse();
    }

    @Test
    void python_rightProgram_passes() throws InterruptedException {
        Verdict verdict = python("def square(x):\n    return x * x\n" + TEST);

        assertThat(verdict.result()).as("%s", verdict).isEqualTo("passed");
        assertThat(verdict.passed()).isTrue();
    }

    @Test
    void python_wrongProgram_failsWithItsReason() throws InterruptedException {
        assertFailed(python("def square(x):\n    return x + 2\n" + TEST), "failed: AssertionError: three");
        assertFailed(python("def square(x)\n" + TEST), "failed: SyntaxError: expected ':'");
    }

    /// Whatever it prints, or however it ends before its tests.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "import os; print('PASSED'); os._exit(0)",
                "import sys; print('passed'); sys.exit(0)",
                "raise SystemExit",
                "exit(0)",
                "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
                "import atexit, os; atexit.register(os._exit, 0); raise ValueError",
                "import sys; sys.excepthook = lambda *_: print('passed'); raise ValueError",
                "import os; os.execv('/bin/true', ['true'])",
                "import os\nif os.fork():\n    os._exit(0)",
                // the word is not to be had where it is to be expected
                "import sys, os; print(sys.stdin.read()); os._exit(0)",
                "import os; os.write(1, os.read(0, 100)); os._exit(0)",
                "import os; print(open('/proc/self/fd/0').read(), os.environ, open('/proc/self/cmdline').read());"
                        + " os._exit(0)",
                "import os, glob; [print(open(f).read()) for f in glob.glob('/exam/*')]; os._exit(0)",
            })
    void python_earlyEnd_isNoPass(String trick) throws InterruptedException {
        Verdict verdict = python(trick + "\ndef square(x):\n    return 0\n" + TEST);

        assertThat(verdict.passed()).as("%s", verdict).isFalse();
        assertThat(verdict.result()).startsWith("failed: ");
    }

    @Test
    void python_ownStandardOutput_doesNotHideTheWord() throws InterruptedException {
        String square = "def square(x):\n    return x * x\n";

        assertThat(python("import sys, io; sys.stdout = io.StringIO()\n" + square + TEST).passed()).isTrue();
        assertThat(python("import os; os.close(1)\n" + square + TEST).passed()).isTrue();
        assertThat(python("print('x' * 1000000)\n" + square + TEST + "print('y' * 1000000, end='')\n")
                        .passed())
                .isTrue();
    }

    @Test
    void python_threadThatNeverEnds_isNotWaitedFor() throws InterruptedException {
        String program = "import threading, time\nthreading.Thread(target=time.sleep, args=(10000,)).start()\n"
                + "def square(x):\n    return x * x\n" + TEST;

        assertThat(python(program).passed()).isTrue();
    }

    @Test
    void python_noEnd_isTimedOut() throws InterruptedException {
        Limits limits = new Limits(Duration.ofMinutes(5), 1, 1 << 30, 64, 1 << 20, 1 << 20, 1 << 16);
        Verdict verdict = new Examiner(null, PYTHON, List.of(), limits)
                .examine(Language.PYTHON, "def square(x):\n    while True: pass\n" + TEST);

        assertFailed(verdict, "timed out");
    }

    @Test
    void python_limits_areTold() throws InterruptedException {
        assertFailed(python("kept = []\nwhile True: kept.append(bytearray(1 << 24))"), "failed: out of memory");
    }

    @ParameterizedTest
    @CsvSource({
        "return x * x;, passed",
        "return x + 2;, failed: java.lang.AssertionError: 3",
        "System.exit(0); return 0;, failed: ended before its tests did",
        "Runtime.getRuntime().halt(0); return 0;, failed: ended before its tests did",
        "return;, failed: /exam/Main.java:1: error: incompatible types: missing return value"
    })
    void java_program_isCompiledAndRun(String body, String result) throws InterruptedException {
        String program = "class Solution { static int square(int x) { " + body + " } }\n" + """
                public class Main {
                    public static void main(String[] args) {
                        for (int x = 2; x < 4; x++) {
                            if (Solution.square(x) != x * x) {
                                throw new AssertionError(x);
                            }
                        }
                    }
                }
                """;

        Verdict verdict = EXAMINER.examine(Language.JAVA, program);

        assertThat(verdict.result()).as("%s", verdict).isEqualTo(result);
        assertThat(verdict.passed()).isEqualTo(result.equals("passed"));
    }
}
