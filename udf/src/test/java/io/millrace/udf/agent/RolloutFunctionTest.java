package io.millrace.udf.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.ExecutorEngine;
import io.millrace.udf.SparkSchemas;
import io.millrace.udf.agent.RolloutRecipe.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RolloutFunctionTest {
    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final String FIX = "sed -i 's/ - / + /' add.sh";

    @TempDir
    private Path dir = Path.of("");

    private Rollouts rollouts = Rollouts.in(dir);

    /// The tests of this process share its engine.
    @AfterEach
    void closeEngine() {
        ExecutorEngine.ofThisProcess().close();
    }

    @BeforeEach
    void setUp() {
        rollouts = Rollouts.in(dir);
    }

    private static <T> T value(Row row, String column) {
        return row.getAs(SCHEMA.fieldIndex(column));
    }

    private static Row error(Row row) {
        return value(row, Completion.RowError.COLUMN);
    }

    private static List<String> contents(ObjectNode trajectory, String role) {
        List<String> contents = new ArrayList<>();
        for (JsonNode message : trajectory.path("messages")) {
            if (message.path("role").asText().equals(role)) {
                contents.add(message.path("content").asText());
            }
        }
        return contents;
    }

    private Path marks() {
        return dir.resolve("marks");
    }

    private String mark(int step) {
        return "echo " + step + " >> " + marks();
    }

    @Test
    void submitted_patchIsTheRowsText() throws IOException, InterruptedException {
        SmallRepository repository = SmallRepository.in(dir.resolve("repository"));
        Rollouts fixing = rollouts.from(repository, repository.base());

        Row row = fixing.run("cat add.sh\n" + FIX + "\nbash add.sh 2 3\n" + Rollouts.SUBMIT + " && git diff")
                .getFirst();

        assertThat(RolloutFunctionTest.<String>value(row, Completion.STATUS)).isEqualTo("ok");
        assertThat(RolloutFunctionTest.<String>value(row, Completion.FINISH_REASON))
                .isEqualTo("stop");
        assertThat(RolloutFunctionTest.<String>value(row, Completion.OUTPUT_TEXT))
                .startsWith("diff --git a/add.sh b/add.sh")
                .contains("-echo $(($1 - $2))\n+echo $(($1 + $2))\n");
        assertThat(RolloutFunctionTest.<Integer>value(row, Completion.COMPLETION_TOKENS))
                .isPositive();
        ObjectNode trajectory = fixing.trajectory(row);
        assertThat(contents(trajectory, "user").subList(1, 4))
                .containsExactly(
                        "<returncode>0</returncode>\n<output>\necho $(($1 - $2))\n</output>",
                        "<returncode>0</returncode>\n<output>\n</output>",
                        "<returncode>0</returncode>\n<output>\n5\n</output>");
        assertThat(trajectory.at("/info/exit_status").asText()).isEqualTo("Submitted");
        assertThat(trajectory.at("/info/submission").asText()).isEqualTo(value(row, Completion.OUTPUT_TEXT));
        assertThat(trajectory.at("/info/model_stats/api_calls").asInt()).isEqualTo(4);
        assertThat(trajectory.path("trajectory_format").asText()).isEqualTo("mini-swe-agent-1.1");
        assertThat(trajectory.path("instance_id").asText()).isEqualTo("task-0");
        assertThat(trajectory
                        .path("messages")
                        .get(trajectory.path("messages").size() - 1)
                        .path("role")
                        .asText())
                .isEqualTo("exit");
    }

    @Test
    void submitted_nothingPrinted_isWhatGitSees() throws IOException, InterruptedException {
        SmallRepository repository = SmallRepository.in(dir.resolve("repository"));
        Row row = rollouts.from(repository, repository.base())
                .run("echo new > made; git commit -qam mine\n" + FIX + "\n" + Rollouts.SUBMIT)
                .getFirst();

        assertThat(RolloutFunctionTest.<String>value(row, Completion.OUTPUT_TEXT))
                .contains("diff --git a/add.sh b/add.sh", "diff --git a/made b/made", "+new\n");
    }

    @Test
    void directory_holdsNothingOfWhatCameLater() throws IOException, InterruptedException {
        SmallRepository repository = SmallRepository.in(dir.resolve("repository"));
        String later = repository.git("rev-parse", "HEAD").strip();
        Row row = rollouts.from(repository, repository.base())
                .run("git rev-parse HEAD; git log --all --oneline | wc -l; git cat-file -e " + later
                        + " || echo none; git status --porcelain; ls -a .git | grep FETCH\n" + Rollouts.SUBMIT)
                .getFirst();

        assertThat(contents(rollouts.trajectory(row), "user").get(1))
                .contains(repository.base() + "\n1\n", "none\n</output>");
    }

    @Test
    void commands_thatFail_areTold() throws IOException {
        Row row = rollouts.run("ls nowhere; exit 3\nSAY I give up.\n" + Rollouts.SUBMIT)
                .getFirst();

        List<String> told = contents(rollouts.trajectory(row), "user");
        assertThat(told.get(1)).startsWith("<returncode>3</returncode>").contains("nowhere");
        assertThat(told.get(2)).contains("<error>", "found 0");
        assertThat(rollouts.exitStatus(row)).isEqualTo("Submitted");
    }

    @Test
    void limits_eachEndsARolloutByItsName() throws IOException {
        Limits none = new Limits(0, 0, 0, 60, 0);
        String endless = "true\n".repeat(60);
        assertThat(status(new Limits(3, 0, 0, 60, 3), "steps", endless)).isEqualTo("LimitsExceeded");
        assertThat(status(new Limits(0, 2000, 0, 60, 3), "tokens", endless)).isEqualTo("LimitsExceeded");
        assertThat(status(new Limits(0, 0, 1, 60, 3), "time", "sleep 1.2\ntrue\n"))
                .isEqualTo("TimeExceeded");
        assertThat(status(new Limits(0, 0, 0, 60, 3), "format", "true\nSAY a\nSAY b\ntrue\nSAY c\nSAY d\nSAY e\ntrue"))
                .isEqualTo("RepeatedFormatError");
        assertThat(status(none, "none", "SAY a\n".repeat(4) + Rollouts.SUBMIT)).isEqualTo("Submitted");
    }

    private String status(Limits limits, String name, String task) throws IOException {
        Rollouts limited = Rollouts.in(dir.resolve(name)).with(limits);
        Row row = limited.run(task).getFirst();
        String status = limited.exitStatus(row);
        assertThat(RolloutFunctionTest.<String>value(row, Completion.STATUS)).isEqualTo("ok");
        assertThat(RolloutFunctionTest.<String>value(row, Completion.FINISH_REASON))
                .isEqualTo(status.equals("Submitted") ? "stop" : "length");
        return status;
    }

    @Test
    void steps_areExactlyAsManyAsAllowed() {
        rollouts.with(new Limits(3, 0, 0, 60, 3))
                .run(IntStream.range(0, 9)
                        .mapToObj(this::mark)
                        .reduce((a, b) -> a + "\n" + b)
                        .orElseThrow());
        assertThat(marks()).hasContent("0\n1\n2\n");
    }

    @Test
    void finished_isNotDoneAgain() throws IOException {
        String task = "#calls " + dir.resolve("calls") + "\n" + mark(0) + "\n" + mark(1) + "\n" + Rollouts.SUBMIT;
        Row first = rollouts.run(task).getFirst();

        Row second = rollouts.run(task).getFirst();

        assertThat(marks()).hasContent("0\n1\n");
        assertThat(dir.resolve("calls")).hasContent("0\n1\n2\n");
        assertThat(RolloutFunctionTest.<Integer>value(second, Completion.PROMPT_TOKENS))
                .isEqualTo(value(first, Completion.PROMPT_TOKENS));
        try (Stream<Path> left = Files.list(dir.resolve("directories"))) {
            assertThat(left).isEmpty();
        }
        try (Stream<Path> logs = Files.walk(dir.resolve("logs"))) {
            assertThat(logs.filter(Files::isRegularFile)).hasSize(1);
        }
    }

    @Test
    void deviceLost_failsTheTask_andTheNextAttemptGoesOn() throws IOException {
        String task = "#lose-device-once " + dir.resolve("lost") + " 2\n" + mark(0) + "\necho kept > file\n" + mark(1)
                + "\n" + Rollouts.SUBMIT + "; cat file";
        assertThatThrownBy(() -> rollouts.run(task))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("device lost as asked");
        assertThat(marks()).hasContent("0\n");

        Row row = rollouts.run(task).getFirst();

        assertThat(marks()).hasContent("0\n1\n");
        assertThat(RolloutFunctionTest.<String>value(row, Completion.OUTPUT_TEXT))
                .isEqualTo("kept\n");
    }

    @Test
    void noSuchCommit_isAnErrorRowBesideOthers() throws IOException, InterruptedException {
        SmallRepository repository = SmallRepository.in(dir.resolve("repository"));
        Row row = rollouts.from(repository, "0".repeat(40))
                .run("true\n" + Rollouts.SUBMIT)
                .getFirst();

        assertThat(RolloutFunctionTest.<String>value(row, Completion.STATUS)).isEqualTo("error");
        assertThat(error(row).getString(1)).isEqualTo("CHECKOUT_FAILED");
        assertThat(error(row).getString(0)).isEqualTo("ENVIRONMENT");
    }

    @Test
    void edits_changeFilesInsideOnly() throws IOException {
        Path outside = Files.writeString(dir.resolve("outside"), "safe\n");
        Path root = Files.createDirectories(dir.resolve("w/testbed")).getParent();
        Files.createDirectories(root.resolve("tmp"));
        Files.writeString(root.resolve("testbed/file"), "one\ntwo\ntwo\n");
        Files.createSymbolicLink(root.resolve("testbed/link"), outside);
        Files.createSymbolicLink(root.resolve("testbed/nowhere"), dir.resolve("not-there"));

        assertThat(edit(root, "file", "one\n", "1\n")).isZero();
        assertThat(edit(root, "/testbed/file", "two\n", "2\n")).isEqualTo(1);
        assertThat(edit(root, "sub/näw", "", "new")).isZero();
        assertThat(edit(root, "sub/näw", "", "again")).isEqualTo(1);
        assertThat(edit(root, "/tmp/x", "", "x")).isZero();
        assertThat(edit(root, "link", "safe\n", "gone\n")).isEqualTo(1);
        assertThat(edit(root, "nowhere", "", "made\n")).isEqualTo(1);
        assertThat(edit(root, "../../outside", "safe\n", "gone\n")).isEqualTo(1);
        assertThat(edit(root, outside.toString(), "safe\n", "gone\n")).isEqualTo(1);
        assertThat(edit(root, "file/below", "", "x")).isEqualTo(1);

        assertThat(root.resolve("testbed/file")).hasContent("1\ntwo\ntwo\n");
        assertThat(outside).hasContent("safe\n");
        assertThat(dir.resolve("not-there")).doesNotExist();
        assertThat(root.resolve("tmp/x")).hasContent("x");
    }

    private static int edit(Path root, String path, String before, String after) throws IOException {
        return FileEdit.apply(root, new Action.Edit(path, before, after, null)).returncode();
    }

    @Test
    void moreRowsThanTheWindowHolds_comeInTheirOrder() {
        List<Row> rows = rollouts.atOnce(2, 2)
                .run(IntStream.range(0, 9)
                        .mapToObj(row -> Rollouts.SUBMIT + "; echo " + row)
                        .toArray(String[]::new));

        assertThat(rows)
                .extracting(row -> RolloutFunctionTest.<String>value(row, Completion.OUTPUT_TEXT)
                        .strip())
                .containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8");
    }

    /// Four commands wait for what the other rollouts' commands do, all of which need turns of the
    /// engine: were the engine, the window or the slots held up by commands that wait, nothing would
    /// ever end.
    @Test
    void commandsThatWait_holdUpNobodyElse() throws IOException {
        Path go = dir.resolve("go");
        String slow = "until [ -e " + go + " ]; do sleep 0.05; done\n" + Rollouts.SUBMIT;
        String count = "echo x >> " + marks() + "; [ $(wc -l < " + marks() + ") -lt 84 ] || touch " + go + "\n";
        String[] tasks = IntStream.range(0, 32)
                .mapToObj(row -> row < 4 ? slow : count.repeat(3) + Rollouts.SUBMIT)
                .toArray(String[]::new);
        Rollouts many = rollouts.atOnce(32, 8);

        List<Row> rows = many.run(tasks);

        assertThat(Files.readAllLines(marks())).hasSize(84);
        double firstSlowEnd = Double.MAX_VALUE;
        int saidBefore = 0;
        for (Row row : rows.subList(0, 4)) {
            firstSlowEnd = Math.min(firstSlowEnd, done(many.log(row)).getFirst().timestamp());
        }
        for (Row row : rows) {
            assertThat(many.exitStatus(row)).isEqualTo("Submitted");
            for (LogRecord record : many.log(row)) {
                saidBefore += record instanceof LogRecord.Said said && said.timestamp() <= firstSlowEnd ? 1 : 0;
            }
        }
        // each of the slow ones has spoken once, each of the others three times at least
        assertThat(saidBefore).isGreaterThanOrEqualTo(4 + 84);
    }

    private static List<LogRecord.Done> done(List<LogRecord> records) {
        return records.stream()
                .filter(LogRecord.Done.class::isInstance)
                .map(LogRecord.Done.class::cast)
                .toList();
    }

    @Test
    void sameConversation_aloneAndInCompany() throws IOException {
        String task = "echo a > f; pwd | wc -l\ncat f\nSAY hm\n" + Rollouts.SUBMIT;
        Row alone = Rollouts.in(dir.resolve("alone")).run(task).getFirst();
        Rollouts many = Rollouts.in(dir.resolve("many")).atOnce(8, 3);
        List<Row> company = many.run(Stream.concat(
                        Stream.of(task),
                        Stream.generate(() -> mark(7) + "\n" + task).limit(11))
                .toArray(String[]::new));

        assertThat(many.trajectory(company.getFirst()))
                .isEqualTo(Rollouts.in(dir.resolve("alone")).trajectory(alone));
        assertThat(RolloutFunctionTest.<Integer>value(company.getFirst(), Completion.PROMPT_TOKENS))
                .isEqualTo(value(alone, Completion.PROMPT_TOKENS));
    }
}
