package io.millrace.jobs.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.tokenizer.SharedFiles;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.sandbox.Examiner;
import io.millrace.udf.sandbox.Limits;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The published suites: their own solutions pass, and the same programs with a wrong answer do not. A slice of each;
/// with the system property `millrace.code.all` all of them.
class PublishedSuitesIT {
    private static final boolean ALL = Boolean.getBoolean("millrace.code.all");
    private static final Examiner EXAMINER = new Examiner(
            null, "/usr/bin/python3", List.of(), Limits.SMALL.withWall(Duration.ofMinutes(10)));

    @BeforeEach
    void requireSandbox() {
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            assumeTrue(false, e.getMessage());
        }
    }

    private static List<CodeTask> tasks(CodeSuite suite, String file) {
        return CodeTasks.read(suite, List.of(SharedFiles.shared("datasets/" + file).toString()), 0, new Configuration());
    }

    private static void assertCanonicalPass(List<CodeTask> tasks, int step) throws InterruptedException {
        for (int at = 0; at < tasks.size(); at += ALL ? 1 : step) {
            CodeTask task = tasks.get(at);
            assertResult(task, task.canonical(), "passed");
        }
    }

    private static void assertResult(CodeTask task, String continuation, String result) throws InterruptedException {
        String program = task.preamble() + continuation + "\n" + task.tests();
        assertThat(EXAMINER.examine(task.language(), program).result())
                .as(task.taskId())
                .startsWith(result);
    }

    @Test
    void humanEval_canonicalSolutionsPass_andWrongOnesFail() throws InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "no /usr/bin/python3");
        List<CodeTask> tasks = tasks(CodeSuite.HUMANEVAL, "humaneval/HumanEval.jsonl.gz");

        assertThat(tasks).hasSize(164);
        assertCanonicalPass(tasks, 16);
        for (int at = 0; at < tasks.size(); at += ALL ? 1 : 40) {
            assertResult(tasks.get(at), "    return 'wrong'\n", "failed: ");
        }
    }

    /// An answer to the instruction stands after the prompt's helpers, and defines the function again.
    @Test
    void humanEval_wholeAnswers_pass() throws InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "no /usr/bin/python3");
        List<CodeTask> tasks = tasks(CodeSuite.HUMANEVAL, "humaneval/HumanEval.jsonl.gz");
        for (int at = 0; at < tasks.size(); at += ALL ? 1 : 38) {
            CodeTask task = tasks.get(at);
            String answer = "Here:\n```python\n" + task.prompt() + task.canonical() + "```\nDone.";
            String solution = Extraction.solution(
                    task, CodeSuite.HUMANEVAL.stops(), PromptFormat.CHAT, answer);

            assertThat(EXAMINER.examine(task.language(), solution + "\n" + task.tests()).result())
                    .as(task.taskId())
                    .isEqualTo("passed");
        }
    }

    /// What a model would have to write, cut where the suite says, is the canonical solution.
    @Test
    void extraction_leavesCanonicalSolutionsWhole() {
        for (CodeTask task : tasks(CodeSuite.HUMANEVAL_JAVA, "humaneval-x/humaneval_java.jsonl.gz")) {
            String kept = Extraction.continuation(
                    task.language(), CodeSuite.HUMANEVAL_JAVA.stops(), task.canonical() + "\nclass More {}");
            assertThat(kept.strip()).as(task.taskId()).isEqualTo(task.canonical().strip());
        }
    }

    @Test
    void humanEvalJava_canonicalSolutionsPass_andWrongOnesFail() throws InterruptedException {
        List<CodeTask> tasks = tasks(CodeSuite.HUMANEVAL_JAVA, "humaneval-x/humaneval_java.jsonl.gz");

        assertThat(tasks).hasSize(164);
        assertCanonicalPass(tasks, 41);
        for (int at = 0; at < tasks.size(); at += ALL ? 1 : 82) {
            assertResult(tasks.get(at), "        throw new IllegalStateException();\n    }\n}", "failed: ");
        }
    }

    @Test
    void mbpp_canonicalSolutionsPass() throws InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "no /usr/bin/python3");
        List<CodeTask> tasks = tasks(CodeSuite.MBPP, "mbpp/mbpp.jsonl");

        assertThat(tasks).hasSize(500);
        assertThat(tasks.getFirst().taskId()).isEqualTo("Mbpp/11");
        assertThat(tasks.getFirst().prompt().split("\\[BEGIN\\]\n", -1)).hasSize(5);
        assertCanonicalPass(tasks, 60);
    }
}
