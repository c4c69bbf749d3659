package io.millrace.udf.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.SparkSchemas;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process with a rollout under way is killed (SIGKILL) in the middle of a command, then in the
/// middle of a call of the model; the next one goes on.
class RolloutKillTest {
    private static final int SIGKILL = 137;
    private static final int STATUS = SparkSchemas.completion().fieldIndex(Completion.STATUS);

    @TempDir
    private Path dir = Path.of("");

    /// Runs the task that the file holds.
    static final class Victim {
        public static void main(String[] arguments) throws IOException {
            Path dir = Path.of(arguments[0]);
            Rollouts rollouts = Rollouts.in(dir).from(dir.resolve("repository"));
            List<Row> rows = rollouts.run(Files.readString(dir.resolve("task")));
            Files.writeString(dir.resolve("row"), rows.getFirst() + "\n");
            System.exit(rows.getFirst().getString(STATUS).equals("ok") ? 0 : 1);
        }
    }

    private int run(String name) throws IOException, InterruptedException {
        String surefire = System.getProperty("surefire.test.class.path");
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx256m",
                        "-cp",
                        surefire != null ? surefire : System.getProperty("java.class.path"),
                        Victim.class.getName(),
                        dir.toString())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve(name + ".log").toFile())
                .start();
        return process.waitFor();
    }

    @Test
    void killedAndResumed_repeatsNothing_andEndsAsIfUndisturbed() throws IOException, InterruptedException {
        SmallRepository.in(dir.resolve("repository"));
        Path marks = dir.resolve("marks");
        Path calls = dir.resolve("calls");
        Path killed = dir.resolve("killed");
        Path halted = dir.resolve("halted");
        String task = String.join(
                "\n",
                "#calls " + calls,
                "#halt-once " + halted + " 3",
                "echo 0 >> " + marks + "; echo before > file; mkdir d; echo x > d/x; git add file",
                "echo 1 >> " + marks + "; echo half >> file; rm -r d; [ -e " + killed + " ] || { touch " + killed
                        + "; kill -9 $PPID; sleep 60; }; echo whole >> file",
                "echo 2 >> " + marks + "; cat file; ls; git status --porcelain",
                "echo 3 >> " + marks + "; git commit -qm 'mine'; git log --oneline | wc -l",
                "SAY I am nearly done.",
                Rollouts.SUBMIT + "; cat file");
        Files.writeString(dir.resolve("task"), task);

        assertThat(run("first")).as(said("first")).isEqualTo(SIGKILL);
        assertThat(killed).exists();
        assertThat(marks).hasContent("0\n1\n");
        assertThat(run("second")).as(said("second")).isEqualTo(SIGKILL);
        assertThat(halted).exists();
        assertThat(run("third")).as(said("third")).isZero();

        // the command that was killed began again where the directory was as it had been, nothing else did
        assertThat(marks).hasContent("0\n1\n1\n2\n3\n");
        // the call that was under way when the process ended has no answer, so it was made again
        assertThat(calls).hasContent("0\n1\n2\n3\n3\n4\n5\n");
        ObjectNode disturbed = trajectory(dir);
        assertThat(disturbed.at("/messages/6/extra/raw_output").asText())
                .contains("before\nhalf\nwhole\nadd.sh\nfile\nlib\n");

        Path other = Files.createDirectory(dir.resolve("undisturbed"));
        Rollouts undisturbed = Rollouts.in(other).from(dir.resolve("repository"));
        Row row = undisturbed.run(task).getFirst();
        assertThat(disturbed).isEqualTo(undisturbed.trajectory(row));
        assertThat(row.getString(0))
                .isEqualTo(only(dir.resolve("logs")).getFileName().toString());
        try (Stream<Path> left = Files.list(dir.resolve("directories"))) {
            assertThat(left).as("directories of killed processes").isEmpty();
        }
    }

    private String said(String name) throws IOException {
        return Files.readString(dir.resolve(name + ".log"));
    }

    private static Path only(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.reduce((a, b) -> {
                        throw new IllegalStateException("two logs: " + a + " and " + b);
                    })
                    .orElseThrow();
        }
    }

    private static ObjectNode trajectory(Path dir) throws IOException {
        return Rollouts.in(dir)
                .trajectory(only(dir.resolve("logs")).getFileName().toString());
    }
}
